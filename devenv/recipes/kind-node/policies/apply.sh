#!/bin/sh
# Puts nfqueue.go to use in kube-network-policies' source: apply.sh DIRECTORY. Fails if upstream's lines are not as known.
set -eu
controller="$1/pkg/dataplane/controller.go"
sed -i \
    -e '/queue := &expr.Queue{/{N;N;N;s/.*/\tqueue := newQueue(uint16(c.config.QueueID), c.config.FailOpen)/}' \
    -e 's/nfqueue\.WithLabel(generateLabelMask(c\.config\.CTLabelAccept))/accepted(a)/' \
    -e '/if err := nft.Flush(); err != nil {/{N;s/\(.*\)\(\n.*"syncing nftables rules".*\)/\tlabelAccepted(nft, table, c.config.CTLabelAccept)\n\1\2/}' \
    "$controller"
for change in 'newQueue(' 'newQueue(' 'accepted(a)' 'labelAccepted('; do
    grep -qF "$change" "$controller" || { echo "$controller: the place for $change was not found" >&2; exit 1; }
done
cp "$(dirname "$0")/nfqueue.go" "$1/pkg/dataplane/nfqueue_portable.go"

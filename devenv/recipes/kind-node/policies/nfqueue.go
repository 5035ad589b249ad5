package dataplane

import (
	"github.com/florianl/go-nfqueue/v2"
	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// Kernels of small virtual machines are often built without nftables' `queue` statement (CONFIG_NFT_QUEUE) and without
// conntrack data in verdicts (CONFIG_NETFILTER_NETLINK_GLUE_CT). What is here does the same with what every kernel has:
// the xtables target, and a packet mark that a later chain turns into the conntrack label of accepted connections.
const acceptedMark uint32 = 1 << 29

// newQueue sends packets to userspace; its data is struct xt_NFQ_info_v3.
func newQueue(number uint16, failOpen bool) *expr.Target {
	var flags uint16
	if failOpen {
		flags = 1 // bypass: without a listener the packet passes
	}
	info := xt.Unknown{}
	for _, field := range []uint16{number, 1, flags, 0} {
		info = append(info, binaryutil.NativeEndian.PutUint16(field)...)
	}
	return &expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info}
}

// accepted goes with a verdict; the marks of others, such as kube-proxy's, stay.
func accepted(packet nfqueue.Attribute) nfqueue.VerdictOption {
	mark := acceptedMark
	if packet.Mark != nil {
		mark |= *packet.Mark
	}
	return nfqueue.WithMark(mark)
}

// labelAccepted adds a chain behind each one that queues packets: a packet comes back from the queue to the next chain.
func labelAccepted(nft *nftables.Conn, table *nftables.Table, label int) {
	for name, place := range map[string]struct {
		hook     *nftables.ChainHook
		priority nftables.ChainPriority
	}{
		"accepted-prerouting":  {nftables.ChainHookPrerouting, *nftables.ChainPriorityNATDest + 6},
		"accepted-input":       {nftables.ChainHookInput, *nftables.ChainPriorityNATSource + 2},
		"accepted-postrouting": {nftables.ChainHookPostrouting, *nftables.ChainPriorityNATSource - 4},
	} {
		chain := nft.AddChain(&nftables.Chain{
			Name: name, Table: table, Type: nftables.ChainTypeFilter,
			Hooknum: place.hook, Priority: nftables.ChainPriorityRef(place.priority),
		})
		// meta mark & MARK != 0 ct label set LABEL meta mark set meta mark & ~MARK
		nft.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyMARK, Register: 1},
			mask(acceptedMark),
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
			&expr.Immediate{Register: 1, Data: generateLabelMask(label)},
			&expr.Ct{Key: expr.CtKeyLABELS, SourceRegister: true, Register: 1},
			&expr.Meta{Key: expr.MetaKeyMARK, Register: 1},
			mask(^acceptedMark),
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1},
		}})
	}
}

func mask(bits uint32) *expr.Bitwise {
	return &expr.Bitwise{
		SourceRegister: 1, DestRegister: 1, Len: 4,
		Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4),
	}
}

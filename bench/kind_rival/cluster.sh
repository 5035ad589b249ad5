#!/bin/sh
# What the rivals' pages say to do, one step after the other: kind's page on local registries, then the add-ons.
# cluster.sh NAME NODE-IMAGE REGISTRY-IMAGE PORT CONFIG CERTIFICATE KEY ADD-ON...; reads lines `IMAGE NAME-IN-THE-REGISTRY`.
set -eu
name="$1" node="$2" registry="$3" port="$4" config="$5" certificate="$6" key="$7"
shift 7
docker run -d --restart=always -p "127.0.0.1:$port:5000" --name "$name-registry" "$registry" >/dev/null
kind create cluster --quiet --name "$name" --image "$node" --config "$config" --kubeconfig "$KUBECONFIG" --wait 120s
folder="/etc/containerd/certs.d/localhost:$port"
docker exec "$name-control-plane" mkdir -p "$folder"
printf '[host."http://%s:5000"]\n' "$name-registry" |
    docker exec -i "$name-control-plane" sh -c "cat > '$folder/hosts.toml'"
docker network connect kind "$name-registry"
kubectl apply -f - >/dev/null <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: local-registry-hosting, namespace: kube-public}
data: {localRegistryHosting.v1: 'host: "localhost:$port"'}
END
while read -r image pushed; do
    docker tag "$image" "localhost:$port/$pushed"
    docker push --quiet "localhost:$port/$pushed" >/dev/null
done
for addon in "$@"; do
    kubectl apply -k "$addon" >/dev/null
done
kubectl create namespace caas >/dev/null
kubectl --namespace caas create secret tls gateway-tls --cert "$certificate" --key "$key" >/dev/null

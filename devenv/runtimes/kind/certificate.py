"""The certificate that a cluster's ingress answers with, by this user's own development authority."""

from __future__ import annotations

from devenv.runtimes import record
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.manifests import Overlay
from devenv.tls import Authority, authority


def put_certificate(cluster: Cluster, overlay: Overlay) -> Authority:
    """Make the overlay's namespaces and the Secrets that its Ingresses name; returns who signed."""
    ours = authority(cluster.runner)
    ours.ensure()
    certificate, key = cluster.state / "tls.crt", cluster.state / "tls.key"
    ours.issue(certificate, key)
    kubectl = cluster.kubectl()
    namespaces = [one for one in overlay.objects if one["kind"] == "Namespace"]
    kubectl.apply(record.dumps({"apiVersion": "v1", "kind": "List", "items": namespaces}))
    within = kubectl.within(overlay.namespace)
    for name in overlay.tls_secrets:
        secret = within.read("create", "secret", "tls", name, "--cert", str(certificate), "--key", str(key),
                             "--dry-run=client", "--output", "json")
        within.apply(secret)
    return ours

"""Those who promote without being the cluster's administrator: a ServiceAccount, its rights, its kubeconfig."""

import json
from contextlib import contextmanager

from tests.e2e.promotion.project import NAMESPACE

# What docs/guides/promote.md lists, for what the trial's overlay holds.
RIGHTS = [
    ("coordination.k8s.io", ["leases"], ["get", "create", "update", "patch"]),
    ("", ["secrets"], ["get", "list", "create", "patch", "delete"]),
    ("", ["services", "configmaps"], ["get", "list", "create", "patch", "delete"]),
    ("apps", ["deployments", "statefulsets"], ["get", "list", "create", "patch", "delete"]),
    ("batch", ["jobs"], ["get", "list", "create", "patch", "delete"]),
    ("networking.k8s.io", ["ingresses"], ["get", "list", "create", "patch", "delete"]),
    ("", ["pods"], ["get", "list"]),
    ("", ["events"], ["list"]),
    ("", ["pods/log"], ["get"]),
    ("apps", ["replicasets"], ["list"]),
]
CLUSTER_RIGHTS = [("", ["namespaces"], ["get", "patch"]), ("", ["nodes"], ["list"])]
# Enough to be told what is lacking.
FEW = [("", ["pods"], ["get", "list"])]


@contextmanager
def person(trial, name, rights=RIGHTS, cluster_rights=CLUSTER_RIGHTS):
    """A kubeconfig in which the environment's context is somebody with these rights, by a token."""
    objects = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}]
    for kind, wanted in (("Role", rights), ("ClusterRole", cluster_rights)):
        rules = [{"apiGroups": [group], "resources": resources, "verbs": verbs} for group, resources, verbs in wanted]
        for one, more in ((kind, {"rules": rules}), (f"{kind}Binding", {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}]})):
            objects.append({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": one,
                            "metadata": {"name": name, "namespace": NAMESPACE} if kind == "Role" else {"name": name},
                            **more})
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    trial.kubectl("apply", "--filename", "-", stdin=document)
    try:
        yield trial.kubeconfig_with(name, user={"token": trial.kubectl("create", "token", name).strip()})
    finally:
        trial.kubectl("delete", "--ignore-not-found", "--filename", "-", stdin=document)


def revoke(trial, name):
    """What was given to them counts no more: the API server asks for the account with every token."""
    trial.kubectl("delete", "serviceaccount", name)

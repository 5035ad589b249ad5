"""The small project of the promotion's tests, whose staging is brought by Argo CD; and releases made by hand."""

import json
import os
import subprocess

from devenv.images import recipes
from tests.e2e.checkout import docker
from tests.e2e.cluster import git
from tests.e2e.promotion.project import NAMESPACE, Trial, deployment

# The one of them that only hands commit to.
BY_HAND = "production"
NAMESPACES = {"staging": NAMESPACE, BY_HAND: f"{NAMESPACE}-{BY_HAND}"}
BRANCH = "releases"


class ByCommit(Trial):
    """`devenv` run by somebody whose releases are committed to a remote of this machine."""

    def follow(self, bare):
        self.git("remote", "add", "origin", str(bare))

    def configure(self, **more):
        super().configure(**more)
        file = self.root / "devenv.toml"
        file.write_text(file.read_text() + '\n[environments.staging.gitops]\napplication = "caas-staging"\n')

    def environment(self, more):
        who = {f"GIT_{whose}_{what}": value for whose in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "T"), ("EMAIL", "t@example.com"))}
        return {**super().environment(more), **who}


class Hands:
    """A person's clone of the branch, without devenv."""

    def __init__(self, root, bare):
        self.root, self.bare = root, bare
        git(root.parent, "clone", "--quiet", str(bare), str(root))

    def commit(self, message, **files):
        """Replace files of the folder that only hands commit to, and push; returns the commit."""
        self.pull()
        folder = self.root / "k8s" / "releases" / BY_HAND
        folder.mkdir(parents=True, exist_ok=True)
        for name, objects in files.items():
            (folder / f"{name}.yaml").write_text("\n---\n".join(map(json.dumps, objects)))
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", message)
        return self.push()

    def revert(self):
        """`git revert` of the newest commit, and push."""
        self.pull()
        git(self.root, "revert", "--no-edit", "HEAD")
        return self.push()

    def pull(self):
        git(self.root, "fetch", "--quiet", "origin")
        if git(self.bare, "for-each-ref", f"refs/heads/{BRANCH}"):
            git(self.root, "checkout", "--quiet", "-B", BRANCH, f"origin/{BRANCH}")
        else:
            git(self.root, "checkout", "--quiet", "--orphan", BRANCH)

    def push(self):
        git(self.root, "push", "--quiet", "origin", f"HEAD:{BRANCH}")
        return git(self.root, "rev-parse", "HEAD")


def pushed(registry, version):
    """An image that answers, in the registry; by digest."""
    tag = f"{registry}/by-hand/web:{version}"
    subprocess.run(["docker", "build", "--quiet", "--tag", tag, "-"], check=True, capture_output=True, text=True,
                   env={**os.environ, "DOCKER_BUILDKIT": "1"},
                   input=f"FROM {recipes.load('python').reference}\nENV VERSION={version}\nUSER 10001\nWORKDIR /tmp\n"
                         'CMD ["python3", "-u", "-m", "http.server", "8000"]\n')
    docker("push", "--quiet", tag)
    reference = docker("inspect", "--format", "{{index .RepoDigests 0}}", tag)
    docker("rmi", tag)
    return reference


def objects(image, *more):
    """A release by hand: a namespace and one service."""
    web = deployment("web")
    container, = web["spec"]["template"]["spec"]["containers"]
    container["image"] = image
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACES[BY_HAND]}},
            *({**one, "metadata": {**one["metadata"], "namespace": NAMESPACES[BY_HAND]}} for one in (web, *more))]


def settings(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"LEVEL": "info"}}

"""Every module under mocks, and proof that the mocks' tests would notice."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.terraform.workspace import REPOSITORY, Workspace

GROUPS = sorted(path.name for path in (REPOSITORY / "terraform" / "tests").glob("*.tftest.hcl"))


@dataclass(frozen=True)
class Mutation:
    """A mistake in a module: `before` replaced by `after` in `file`; the test group must fail and say `seen`."""

    name: str
    file: str
    before: str
    after: str
    group: str
    seen: str


MUTATIONS = [
    Mutation(
        "open security group",
        "modules/mongodb/main.tf",
        "  referenced_security_group_id = var.client_security_group_id\n",
        '  cidr_ipv4                    = "0.0.0.0/0"\n',
        "backends",
        "MongoDB accepts others than the nodes",
    ),
    Mutation(
        "missing encryption",
        "modules/mongodb/main.tf",
        "  storage_encrypted               = true\n  kms_key_id                      = var.kms_key_arn\n",
        "",
        "backends",
        "MongoDB's data is not encrypted with the key",
    ),
    Mutation(
        "public bucket",
        "modules/object-storage/main.tf",
        "  block_public_policy     = true\n",
        "  block_public_policy     = false\n",
        "object-storage",
        "A bucket can be made public",
    ),
    Mutation(
        "wrong version",
        "modules/kubernetes/main.tf",
        "  version                       = var.kubernetes_version\n",
        '  version                       = "1.29"\n',
        "kubernetes",
        "another version than kubernetes_version",
    ),
    Mutation(
        "dropped output",
        "modules/platform/outputs.tf",
        "    namespace             = var.namespace\n",
        "",
        "platform",
        "The output `cluster` is another than in outputs/staging.json",
    ),
]


@pytest.mark.parametrize("group", GROUPS)
def test_modules_do_what_they_promise(modules: Workspace, group: str) -> None:
    printed = modules.must("tests", "test", "-no-color", f"-filter={group}")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", printed), printed


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mistake_in_a_module_is_noticed(modules: Workspace, mutation: Mutation) -> None:
    mutant = modules.copy(mutation.name.replace(" ", "-"))
    file = mutant.path / "terraform" / mutation.file
    text = file.read_text()
    assert text.count(mutation.before) == 1, f"{mutation.file} has changed: say anew what the mistake would be"
    file.write_text(text.replace(mutation.before, mutation.after))

    done = mutant.run("tests", "test", "-no-color", f"-filter={mutation.group}.tftest.hcl")

    assert done.returncode == 1, done.stdout
    assert mutation.seen in done.stdout.replace("\n", " "), done.stdout


def test_every_module_has_a_test() -> None:
    """All but `credentials`: mocked providers cannot open ephemeral resources, so test_apply.py covers it for real."""
    tests = "".join((REPOSITORY / "terraform" / "tests" / group).read_text() for group in GROUPS)
    tested = set(re.findall(r'source = "\.\./modules/([a-z-]+)"', tests))
    modules = {path.name for path in (REPOSITORY / "terraform" / "modules").iterdir()}
    assert modules - tested == {"credentials"}

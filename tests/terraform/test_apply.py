"""Real applies against a mocked AWS, and plans of both whole environments.

A rehearsal leaves out what the mock lacks (`stand_ins`), so `kubernetes`, `mongodb`, `kafka`, `redis`, `ingress` and
`observability` are planned here and applied under mocks in test_modules.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from devenv.errors import LockedError
from devenv.shell import Runner
from devenv.terraform import Terraform, mock, rehearsal
from devenv.terraform.outputs import backends_env
from tests.e2e.hunt import Hunt
from tests.terraform.mocked import mocked_aws
from tests.terraform.workspace import REPOSITORY, Workspace, environment

ACCOUNT, REGION, STATE_BUCKET = "123456789012", "eu-central-1", "caas-123456789012-terraform-state"
KUBERNETES = json.loads((REPOSITORY / "k8s" / "versions.json").read_text())["kubernetes"]
STAND_INS = {
    "cluster": {"name": "kind-rehearsal", "endpoint": "https://127.0.0.1:6443", "certificate_authority": "Y2E="},
    "registry_url": "localhost:5001/caas",
    "host": "localhost",
    "backends": {
        "mongodb": {"MONGODB_USERNAME": "caas", "MONGODB_ADDRESS": "mongodb:27017"},
        "kafka": {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"},
        "redis": {"REDIS_URL": "redis://redis:6379/0"},
        "minio": {"S3_ENDPOINT_URL": "http://minio:9000"},
    },
}


@dataclass(frozen=True)
class Account:
    """A mocked AWS account in which bootstrap was applied."""

    terraform: Workspace
    opened: mock.Account

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.session.Session().client(service, region_name=REGION, endpoint_url=self.opened.endpoint, **keys)

    def init(self, environment: str) -> str:
        """Ready an environment's folder, with its state in the account's bucket, and return the folder."""
        folder = f"envs/{environment}"
        backend = {"bucket": STATE_BUCKET, "region": REGION, "use_path_style": "true"}
        self.terraform.init(folder, *(f"-backend-config={key}={value}" for key, value in backend.items()))
        return folder

    def door(self, environment: str) -> Terraform:
        """devenv's own way to the same environment, as `devenv promote` goes it."""
        return self.opened.environment(self.terraform.path / "terraform" / "envs" / environment)

    def secrets(self) -> dict[str, str]:
        """What Secrets Manager holds, by name."""
        client = self.client("secretsmanager")
        names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
        return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}

    def state(self, environment: str) -> str:
        key = f"{environment}/terraform.tfstate"
        return str(self.client("s3").get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read().decode())


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The mocked AWS's address."""
    os.environ["MOTO_ACM_VALIDATION_WAIT"] = "1"  # read when moto is imported; its default is a minute
    with mocked_aws() as address:
        yield address


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Account:
    folder = tmp_path_factory.mktemp("account")
    variables = environment(REPOSITORY / "terraform" / "tests", folder)
    copied = rehearsal.copy(REPOSITORY, folder / "repository")
    opened = mock.open_account(copied, folder / "door", Runner(), endpoint)
    assert opened.bucket == STATE_BUCKET and opened.region == REGION
    return Account(Workspace(copied.parent, {**variables, "AWS_ENDPOINT_URL": endpoint}), opened)


def changes(plan: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Address, type and planned values of each resource."""
    for change in plan["resource_changes"]:
        if change["mode"] == "managed":
            yield change["address"], change["type"], change["change"]["after"]


def planned(account: Account, environment: str) -> dict[str, Any]:
    folder = account.init(environment)
    account.terraform.must(folder, "plan", "-no-color", "-out=whole.plan")
    shown: dict[str, Any] = json.loads(account.terraform.must(folder, "show", "-json", "whole.plan"))
    return shown


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_whole_environment_can_be_planned(account: Account, environment: str) -> None:
    plan = planned(account, environment)
    aliases = account.client("kms").list_aliases()["Aliases"]
    key = next(alias["TargetKeyId"] for alias in aliases if alias["AliasName"] == f"alias/caas-{environment}")

    open_doors, unencrypted, roles = [], [], []
    for address, kind, after in changes(plan):
        if kind == "aws_vpc_security_group_ingress_rule" and after.get("cidr_ipv4") == "0.0.0.0/0":
            open_doors.append((address.split("[")[0], after["from_port"], after["to_port"]))
        if "kms_key_id" in after and not str(after["kms_key_id"]).endswith(key):
            unencrypted.append(address)
        if kind == "aws_iam_role" and not str(after["permissions_boundary"]).endswith(f"caas-{environment}-boundary"):
            roles.append(address)
    assert open_doors == [("module.platform.module.ingress", 443, 443)]
    assert unencrypted == []
    assert roles == []

    clusters = ("aws_eks_cluster", "aws_eks_node_group")
    versions = {after["version"] for _, kind, after in changes(plan) if kind in clusters}
    assert versions == {KUBERNETES}
    outputs = plan["planned_values"]["outputs"]
    assert sorted(outputs) == ["backends", "cluster", "dns", "registry_url"]
    assert outputs["registry_url"]["value"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/caas"


def test_an_environment_is_applied_stable_locked_and_destroyed(account: Account) -> None:
    terraform = account.terraform
    folder = account.init("staging")
    rehearsal.write_stand_ins(terraform.path / "terraform" / folder, **STAND_INS)
    terraform.must(folder, "apply", "-auto-approve", "-no-color")

    outputs = {name: output["value"] for name, output in json.loads(terraform.must(folder, "output", "-json")).items()}
    assert outputs["cluster"]["endpoint"] == "https://127.0.0.1:6443"
    assert {name: backend["environment"] for name, backend in outputs["backends"].items()} == STAND_INS["backends"]
    assert outputs["dns"] == {"zone": "staging.example.com", "host": "localhost", "url": "https://localhost"}

    # Each login exists, is usable, and is in Secrets Manager only.
    secrets = account.secrets()
    assert sorted(secrets) == sorted(backend["secret"] for backend in outputs["backends"].values())
    passwords = {json.loads(secret)["password"] for secret in secrets.values()}
    assert len(passwords) == 4 and min(map(len, passwords)) == 40
    state = account.state("staging")
    assert "AmazonMSK_caas/staging/mongodb" in state
    assert not [password for password in passwords if password in state]

    # Again, and nothing is to do; -detailed-exitcode says 2 where there is.
    terraform.init("bootstrap")
    terraform.must("bootstrap", "plan", "-no-color", "-detailed-exitcode")
    door = account.door("staging")
    assert door.plan().empty
    assert door.outputs() == outputs
    assert backends_env(door.outputs()) == {
        "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "MONGODB_ADDRESS": "mongodb:27017", "MONGODB_USERNAME": "caas",
        "REDIS_URL": "redis://redis:6379/0", "S3_ENDPOINT_URL": "http://minio:9000",
    }

    # New passwords on demand: all of them, in place, and in nothing that Terraform keeps: plan, state, working data.
    plan = door.plan("-var=password_version=2")
    changed = {change.address.split("[")[0] for change in plan.changes}
    assert changed == {"module.credentials.aws_secretsmanager_secret_version.this"}
    door.apply(plan)
    renewed = {json.loads(secret)["password"] for secret in account.secrets().values()}
    assert len(renewed) == 4 and not renewed & passwords
    hunt = Hunt({password: password for password in renewed})
    assert plan.file.stat().st_mode & 0o077 == 0
    assert hunt.files(door.data, leave_out=set()) == {}
    assert hunt.text(account.state("staging")) == hunt.text(json.dumps(plan.shown)) == set()

    lock = {"Bucket": STATE_BUCKET, "Key": "staging/terraform.tfstate.tflock"}
    held = json.dumps({"ID": "1", "Operation": "apply", "Who": "somebody", "Created": "2026-01-01T00:00:00Z"})
    account.client("s3").put_object(**lock, Body=held.encode())
    with pytest.raises(LockedError, match=r"locked by somebody for \d+ days \(apply\)"):
        door.plan()
    account.client("s3").delete_object(**lock)

    terraform.must(folder, "destroy", "-auto-approve", "-no-color", "-var=password_version=2")
    assert account.secrets() == {}
    assert [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]] == [STATE_BUCKET]
    networks = account.client("ec2").describe_vpcs()["Vpcs"]
    assert [network["CidrBlock"] for network in networks if not network["IsDefault"]] == []

"""A mocked AWS in a container, and an account in it: what a rehearsal runs Terraform against.

    mock = Mock(f"{cluster.name}-aws", engine)
    endpoint = mock.start(images[IMAGE].reference, network="kind", labels={...})
    account = open_account(copied, data, runner, endpoint)        # `copied` is what rehearsal.copy returned
    terraform = account.environment(copied / "envs" / "staging")  # init is done; plan and apply as ever
    mock.delete()

This machine reaches it at `endpoint`; pods reach it at `http://NAME:5000`, or by any name of a Service of type
ExternalName. All of it is in memory: deleted is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.shell import Runner
from devenv.terraform import rehearsal
from devenv.terraform.program import Terraform

IMAGE = "motoserver/moto:5.2.1"
PORT = 5000
START_S = 120


@dataclass(frozen=True)
class Mock:
    """The container."""

    name: str
    engine: Engine

    def start(self, image: str, network: str, labels: Mapping[str, str]) -> str:
        """Start anew, on a network that pods reach, and return the address on this machine once it answers."""
        self.delete()
        self.engine.post("/containers/create", {
            "Image": image, "Labels": dict(labels), "ExposedPorts": {f"{PORT}/tcp": {}},
            "HostConfig": {"NetworkMode": network, "PortBindings": {f"{PORT}/tcp": [{"HostIp": "127.0.0.1"}]}},
        }, name=self.name)
        self.engine.post(f"/containers/{self.name}/start", timeout_s=60)
        deadline = monotonic() + START_S
        while self.engine.container(self.name)["State"].get("Health", {}).get("Status") != "healthy":
            if monotonic() > deadline:
                raise DevenvError(f"the mocked AWS `{self.name}` does not answer after {START_S} s",
                                  f"docker logs {self.name}")
            sleep(0.1)
        return self.endpoint()

    def join(self, network: str) -> str:
        """Join another network, which may move the published port, and return the address on this machine."""
        self.engine.post(f"/networks/{network}/connect", {"Container": self.name})
        return self.endpoint()

    def endpoint(self) -> str:
        """The address on this machine."""
        (published,) = self.engine.container(self.name)["NetworkSettings"]["Ports"][f"{PORT}/tcp"]
        return f"http://127.0.0.1:{published['HostPort']}"

    def delete(self) -> None:
        """Remove the container; nothing is left."""
        self.engine.delete(f"/containers/{self.name}", force=1, v=1)


@dataclass(frozen=True)
class Account:
    """A mocked account in which `bootstrap` was applied: there is a bucket for state, a key and a zone."""

    runner: Runner
    data: Path
    endpoint: str
    bucket: str
    region: str

    @property
    def backend(self) -> dict[str, str]:
        """Settings of a backend that keeps its state in the account's bucket."""
        # A mock has one address, so the bucket is named in the path.
        return {"bucket": self.bucket, "region": self.region, "use_path_style": "true"}

    def environment(self, folder: Path) -> Terraform:
        """Terraform for an environment's folder, with its state in the account's bucket."""
        variables = rehearsal.environment(self.endpoint)
        terraform = Terraform(self.runner, folder, self.data / folder.name, variables)
        terraform.init(self.backend)
        return terraform


def open_account(copied: Path, data: Path, runner: Runner, endpoint: str, log: Path | None = None) -> Account:
    """Apply `bootstrap` of a copy to an empty mocked AWS; its state lies in the copy."""
    bootstrap = Terraform(runner, copied / "bootstrap", data / "bootstrap", rehearsal.environment(endpoint))
    bootstrap.require()
    bootstrap.init()
    bootstrap.apply(bootstrap.plan(), log)
    return Account(runner, data, endpoint, bootstrap.outputs()["state_bucket"], rehearsal.region(copied))

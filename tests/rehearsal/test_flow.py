"""What `devenv promote staging --rehearse` runs at its end, against the platform that it has brought up."""

import os
import ssl
import subprocess

import pytest

from tests.e2e.flow import Client, whole_flow

# A real environment has no demo data: a tenant and its key come from the program that makes them locally.
SEED = """import os, sys
os.environ["MESSAGING_URL"] = "http://127.0.0.1:8080"
from servicekit import seed
sys.exit(seed.main())
"""


@pytest.fixture(scope="session")
def key():
    argv = ["kubectl", "--namespace", os.environ["DEVENV_REHEARSAL_NAMESPACE"], "exec", "deployment/messaging", "--",
            "python", "-c", SEED]
    said = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout
    (line,) = [one for one in said.splitlines() if one.startswith("export ")]
    return line.partition("=")[2]


async def test_the_whole_flow_passes_through_the_ingress(key):
    # $SSL_CERT_FILE names the authority.
    async with Client(os.environ["DEVENV_REHEARSAL_URL"], key, ssl.create_default_context()) as client:
        await whole_flow(client)

import re
from dataclasses import replace

import pytest

from devenv.project import find
from tests.e2e.checkout import Checkout, copy_of_the_working_tree, docker
from tests.e2e.cluster import git

PORT_OFFSET = 4900
# Brings the platform up as built, so that each image has run; the whole suites have their own targets.
SUITE = """
[test.trial]
command = ["python", "-c", "pass"]
needs_platform = true
"""


class Tested(Checkout):
    """A clone of this repository with a receipt for its images, and what a rehearsal of it leaves on this machine."""

    def prepare(self):
        project = find(self.root)
        project.remember(replace(project.checkout, port_offset=self.port_offset))
        settings = self.root / "devenv.toml"
        text = re.sub(r"^suites = .*$", 'suites = ["trial"]', settings.read_text(), flags=re.MULTILINE)
        settings.write_text(text + SUITE)
        git(self.root, "init", "-q")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "as it is")
        self.run("test", "trial")
        self.run("down")
        return self

    @property
    def rehearsal(self):
        return f"{self.name}-rehearsal"

    def left(self):
        """Everything on this machine that a rehearsal made."""
        found = docker("ps", "--all", "--format", "{{.Names}}").split()
        found += docker("volume", "ls", "--format", "{{.Name}}").split()
        found += docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        copy = self.root / ".devenv" / "rehearsal" / "copy"
        ours = (f"{self.rehearsal}-", f"localhost:{5001 + self.port_offset + 50}/")
        return sorted(one for one in found if one.startswith(ours)) + [str(copy)] * copy.exists()


@pytest.fixture(scope="session")
def tested(tmp_path_factory):
    made = Tested(copy_of_the_working_tree(tmp_path_factory.mktemp("rehearsed")), PORT_OFFSET)
    try:
        yield made.prepare()
    finally:
        made.run("down", "--rehearsal", check=False)
        made.remove()

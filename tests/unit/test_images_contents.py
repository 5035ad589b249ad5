from pathlib import Path

import pytest

from devenv.errors import CommandError, DevenvError
from devenv.images.contents import definitions
from devenv.shell import Runner


class Docker(Runner):
    """Answers `docker create`, `cp` and `rm` for an image with these files in /crds, or with no such folder."""

    def __init__(self, files):
        self.files = files
        self.calls = []

    def read(self, *argv, **_):
        self.calls.append(argv[1])
        if argv[1] == "cp":
            if self.files is None:
                raise CommandError(argv, 1, "Could not find the file /crds in container")
            folder = Path(argv[3], "crds")
            folder.mkdir()
            for name, text in self.files.items():
                (folder / name).write_text(text)
        return "c0ffee\n"


def test_definitions_are_one_stream_and_the_container_is_removed():
    docker = Docker({"b.yaml": "---\nkind: B\n", "a.yaml": "kind: A\n", "notes.txt": "no"})
    assert definitions("an/image", docker) == "kind: A\n---\nkind: B\n"
    assert docker.calls == ["create", "cp", "rm"]


def test_an_image_without_definitions_is_named_and_the_container_is_removed():
    docker = Docker(None)
    with pytest.raises(DevenvError, match="`an/image` has no resource definitions in /crds"):
        definitions("an/image", docker)
    assert docker.calls[-1] == "rm"

"""Writes one OCI archive of many images that share one layer: images.py ROOT LIST ARCHIVE.

LIST has a line per image: its reference, its user, its command.
"""

import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

OCI = "application/vnd.oci.image"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layer_of(root: str) -> tuple[bytes, bytes]:
    """The tree as a tar file and that file compressed; the same tree gives the same bytes."""
    tar = subprocess.run(
        ["tar", "--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-C", root, "."],
        check=True,
        capture_output=True,
    ).stdout
    return tar, subprocess.run(["zstd", "-9", "-T0", "--quiet"], input=tar, check=True, capture_output=True).stdout


def main(root: str, list_file: str, archive: str) -> None:
    tar, layer = layer_of(root)
    blobs: dict[str, bytes] = {}

    def store(content: bytes, kind: str) -> dict[str, object]:
        blobs[digest(content)] = content
        return {"mediaType": f"{OCI}.{kind}", "digest": digest(content), "size": len(content)}

    layer_entry = store(layer, "layer.v1.tar+zstd")
    manifests = []
    for line in Path(list_file).read_text().splitlines():
        reference, user, *command = line.split()
        config = {
            "architecture": ARCHITECTURES[platform.machine()],
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"User": user, "Entrypoint": command, "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": store(json.dumps(config).encode(), "config.v1+json"),
            "layers": [layer_entry],
        }
        entry = store(json.dumps(manifest).encode(), "manifest.v1+json")
        manifests.append(entry | {"annotations": {"io.containerd.image.name": reference}})

    with tarfile.open(archive, "w") as out:

        def write(name: str, content: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))

        write("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        write("index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        for name, content in blobs.items():
            write("blobs/" + name.replace(":", "/"), content)


if __name__ == "__main__":
    main(*sys.argv[1:])

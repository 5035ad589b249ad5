"""Where Terraform finds its providers: as a person set it up, else in a mirror on this machine, else on line."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from devenv.errors import UsageError
from devenv.project import write_whole

MIRROR = "DEVENV_TERRAFORM_MIRROR"


def source(folder: Path, data: Path) -> dict[str, str]:
    """Variables that lead Terraform to the providers locked in `folder`; the file that they name is in `data`."""
    if Path(os.environ.get("TF_CLI_CONFIG_FILE", Path.home() / ".terraformrc")).is_file():
        return {}
    found = mirror(locked(folder))
    configuration = data / "terraform.tfrc"
    text = _configuration(found, locked(folder)) if found else ""
    if not configuration.is_file() or configuration.read_text() != text:
        write_whole(configuration, text)
    variables = {"TF_CLI_CONFIG_FILE": str(configuration)}
    if not found and "TF_PLUGIN_CACHE_DIR" not in os.environ:
        cache = Path(tempfile.gettempdir()) / f"terraform-plugins-{os.getuid()}"
        cache.mkdir(mode=0o700, exist_ok=True)
        variables["TF_PLUGIN_CACHE_DIR"] = str(cache)
    return variables


def locked(folder: Path) -> tuple[str, ...]:
    """The full names of the providers in the folder's lock file, such as `HOST/NAMESPACE/aws`."""
    try:
        text = (folder / ".terraform.lock.hcl").read_text()
    except FileNotFoundError:
        return ()
    return tuple(re.findall(r'^provider "([^"]+)"', text, re.MULTILINE))


def mirror(names: Iterable[str]) -> Path | None:
    """A folder laid out as a filesystem mirror that has all of `names`: the one a variable names, else one in /opt."""
    wanted = tuple(names)
    if given := os.environ.get(MIRROR):
        lacking = [name for name in wanted if not (Path(given) / name).is_dir()]
        if lacking:
            raise UsageError(f"{MIRROR}={given} has no {', '.join(lacking)}", "correct the variable, or unset it")
        return Path(given)
    if not wanted:
        return None
    depth = len(Path(wanted[0]).parts)
    candidates = (found.parents[depth - 1] for found in sorted(Path("/opt").glob(f"*/{wanted[0]}")))
    return next((one for one in candidates if all((one / name).is_dir() for name in wanted)), None)


def _configuration(found: Path, names: Iterable[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        "# written by devenv\n"
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{found}"\n    include = [{listed}]\n  }}\n'
        f"  direct {{\n    exclude = [{listed}]\n  }}\n"
        "}\n"
    )

"""Run by directory (`python /opt/devenv/reload`), or as `python -m devenv.reload`."""

import importlib
import importlib.util
import sys
from pathlib import Path


def package() -> str:
    """The name of our package; run by directory, it gets one that is no application's."""
    if __package__:
        return __package__
    here = Path(__file__).resolve().parent
    # Python put our directory first on the path: an application's `import watch` would find ours.
    del sys.path[0]
    spec = importlib.util.spec_from_file_location(
        "devenv_reload", here / "__init__.py", submodule_search_locations=[str(here)])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return spec.name


if __name__ == "__main__":  # not in processes that the application spawns
    sys.exit(importlib.import_module(f"{package()}.command").main(sys.argv[1:]))

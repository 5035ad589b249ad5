"""Import of mounted sources, in an interpreter of its own: it changes the import system."""

import os
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from devenv.reload import fresh

ROOT = Path(__file__).parents[2]


def python(*lines, cwd):
    done = subprocess.run([sys.executable, "-c", "\n".join([f"import sys; sys.path.append({str(ROOT)!r})", *lines])],
                          cwd=cwd, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines(), done.stderr


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source" / "pkg").mkdir(parents=True)
    (tmp_path / "source" / "pkg" / "__init__.py").write_text("")
    (tmp_path / "source" / "pkg" / "app.py").write_text("VALUE = 1\n")
    return tmp_path / "source"


FIRST = "from devenv.reload import fresh; fresh.put_first([{0!r}], fresh.module_names([{0!r}], {1!r}), then=[''])"


def put_first(source):
    return FIRST.format(str(source), [str(path) for path in source.rglob("*.py")])


def test_sources_come_before_everything_and_leave_no_bytecode(source, tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "app.py").write_text("VALUE = 'the image'\n")
    out, _ = python(put_first(source), "import pkg.app; print(pkg.app.VALUE)", cwd=tmp_path)
    assert out == ["1"]
    assert not list(source.rglob("*.pyc"))


def test_bytecode_that_python_would_trust_is_not_read(source, tmp_path):
    app = source / "pkg" / "app.py"
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(source)], check=True)
    stat = app.stat()
    app.write_text("VALUE = 2\n")
    os.utime(app, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert Path(cache_from_source(str(app))).exists()
    plain, _ = python(f"sys.path.insert(0, {str(source)!r})", "import pkg.app; print(pkg.app.VALUE)", cwd=tmp_path)
    out, _ = python(put_first(source), "import pkg.app; print(pkg.app.VALUE)", cwd=tmp_path)
    assert (plain, out) == (["1"], ["2"])


def test_code_compiled_ahead_is_used_for_the_same_bytes_only(source, tmp_path):
    app = str(source / "pkg" / "app.py")
    out, _ = python(
        put_first(source), f"fresh.compile_ahead({app!r})", "import pkg.app; print(pkg.app.VALUE)",
        "print(fresh.missing_ahead(frozenset(sys.modules))[1])",
        "del sys.modules['pkg.app']", f"open({app!r}, 'w').write('VALUE = 3\\n')", "import pkg.app",
        "print(pkg.app.VALUE)", "print(fresh.missing_ahead(frozenset(sys.modules))[1])", cwd=tmp_path)
    package = str(source / "pkg" / "__init__.py")
    assert out == ["1", str([package]), "3", str([package, app])]


def test_broken_code_is_left_to_the_child_to_report(source):
    app = source / "pkg" / "app.py"
    app.write_text("x = (\n")
    fresh.compile_ahead(str(app))
    fresh.compile_ahead(str(source / "absent.py"))
    assert str(app) not in fresh._compiled


def test_a_package_imported_from_elsewhere_gives_way_to_the_sources_own(source, tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "app.py").write_text("VALUE = 'the image'\n")
    out, _ = python("sys.path.insert(0, '')", "import pkg.app", put_first(source),
                    "import pkg.app; print(pkg.app.VALUE)", cwd=tmp_path)
    assert out == ["1"]


def test_the_standard_library_keeps_what_is_imported(source, tmp_path):
    (source / "logging.py").write_text("MINE = True\n")
    out, _ = python("import logging", put_first(source), "import logging; print(hasattr(logging, 'getLogger'))",
                    cwd=tmp_path)
    assert out == ["True"]


def test_module_names_are_top_level_modules_and_regular_packages():
    paths = ["/s/app.py", "/s/pkg/__init__.py", "/s/pkg/deep.py", "/s/data/x.py", "/s/README.md", "/t/kit/__init__.py"]
    assert fresh.module_names(["/s", "/t/"], paths) == {"app", "pkg", "kit"}


def test_modules_from_elsewhere_are_told_in_the_order_they_were_completed(source, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "outer.py").write_text("import inner\n")
    (site / "inner.py").write_text("")
    (source / "pkg" / "app.py").write_text("import outer\n")
    out, _ = python(f"sys.path.insert(0, {str(site)!r})", put_first(source), "before = frozenset(sys.modules)",
                    "import pkg.app", "print(fresh.missing_ahead(before)[0])", cwd=tmp_path)
    assert out == ["['inner', 'outer']"]

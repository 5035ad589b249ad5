import sys
from pathlib import Path

import pytest

from devenv import suites
from devenv.config import Config, Suite
from devenv.errors import UsageError
from devenv.project import Project
from devenv.shell import Runner
from devenv.suites import Outcome, junit
from devenv.suites.outcome import closing_line, slowest
from tests.unit.fakes import FakeRunner

TESTS = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip(reason="Tilt is not on PATH")
def test_with_tilt(): pass
@pytest.mark.xfail(reason="not yet")
def test_not_yet(): assert False
"""


class Pytest(FakeRunner):
    """Writes the report of a pytest run that went like this."""

    def __init__(self, status=0, good=0, bad=0, skips=()):
        super().__init__()
        self.status = status
        cases = "<testcase classname='t' name='good' time='0.5'/>" * good
        cases += "<testcase classname='t' name='bad' time='0.1'><failure message='no'/></testcase>" * bad
        cases += "".join(f"<testcase name='skip'><skipped message='{why}'/></testcase>" for why in skips)
        self.text = (f"<testsuites><testsuite tests='{good + bad + len(skips)}' failures='{bad}' errors='0' "
                     f"skipped='{len(skips)}'>{cases}</testsuite></testsuites>")

    def call(self, *argv, **_):
        Path(next(word for word in argv if word.startswith("--junitxml=")).partition("=")[2]).write_text(self.text)
        return self.status


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("name: shop\n")
    return Project(tmp_path, tmp_path / "compose.yaml")


def run(project, suite, runner=None, **more):
    return suites.run(project, runner or Runner(), suite, project.root / "reports", {}, **more)


def test_a_real_run_of_pytest_is_counted(project, capfd):
    (project.root / "test_it.py").write_text(TESTS)
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    one = run(project, Suite("all of it/1", command, may_skip=("Tilt",)), quiet=True)
    assert (one.exit_code, one.passed, one.failed, one.skipped, one.skips_allowed) == (1, 1, 1, 2, 1)
    assert one.junit == project.root / "reports" / "all-of-it-1.xml"
    assert {case.name for case in one.slowest} == {
        "test_it::test_good", "test_it::test_bad", "test_it::test_with_tilt", "test_it::test_not_yet"}
    said = capfd.readouterr()
    assert "test_it.py" in said.err and not said.out


@pytest.mark.parametrize(("runner", "shortfall", "is_green", "result"), [
    (Pytest(good=2, skips=["Tilt is not here"]), "", True, "passed"),
    (Pytest(good=2, skips=["no time"]), "skipped 1 test", True, "passed"),
    (Pytest(1, good=2, bad=1), "failed (1 of 3 tests)", False, "failed (1)"),
    (Pytest(skips=["Tilt is not here"]), "ran no test (1 skipped)", False, "skipped"),
    (Pytest(), "ran no test", False, "empty"),
    (Pytest(5), "ran no test", False, "failed (5)"),
    (Pytest(3, good=2), "ended with exit code 3", False, "failed (3)"),
])
def test_only_tests_that_ran_and_passed_are_a_pass(project, runner, shortfall, is_green, result):
    one = run(project, Suite("unit", ("pytest",), may_skip=("Tilt",)), runner)
    assert (one.shortfall, one.is_green, one.result) == (shortfall, is_green, result)


def test_a_command_that_is_no_pytest_run_is_one_test_with_a_report_of_its_own(project):
    one = run(project, Suite("lint", ("make", "lint")), FakeRunner())
    assert (one.passed, one.failed, one.shortfall) == (1, 0, "")
    one = run(project, Suite("lint", ("make", "lint")), FakeRunner({"make lint": 2}))
    assert (one.passed, one.failed, one.exit_code, one.result) == (0, 1, 2, "failed (2)")
    found = junit.read(one.junit)
    assert (found.passed, found.failed, [case.name for case in found.cases]) == (0, 1, ["make lint"])


def test_the_report_of_an_earlier_run_does_not_count(project):
    (project.root / "reports").mkdir()
    junit.write(project.root / "reports" / "unit.xml", "unit", ["stale"], 0, 1.0)
    one = run(project, Suite("unit", ("pytest",)), FakeRunner())
    assert (one.exit_code, one.passed, one.is_green, one.shortfall) == (0, 0, False, "ran no test")


def test_the_last_line_adds_up_and_a_suite_that_is_no_pass_counts_as_a_failure():
    outcomes = [Outcome("unit", 0, 5, 0, 1, 1.0), Outcome("e2e", 1, 2, 3, 0, 1.0), Outcome("empty", 5, 0, 0, 0, 1.0),
                Outcome("skipped", 0, 0, 0, 2, 1.0)]
    assert closing_line(outcomes) == "7 passed, 5 failed, 3 skipped"


def test_the_slowest_tests_of_all_suites_are_named():
    cases = [junit.Case(f"test_{number}", number) for number in (0.5, 2, 3)]
    outcomes = [Outcome("a", 0, 3, 0, 0, 1, slowest=tuple(cases)),
                Outcome("b", 0, 4, 0, 0, 1, slowest=tuple(junit.Case(f"test_{n}", n) for n in (9, 8, 7, 1)))]
    assert [(suite, case.seconds) for suite, case in slowest(outcomes)] == [
        ("b", 9), ("b", 8), ("b", 7), ("a", 3), ("a", 2)]


def test_names_are_checked_and_run_once(project):
    project.__dict__["config"] = Config(suites=(Suite("unit", ("a",)), Suite("e2e", ("b",))))
    assert [one.name for one in suites.suites(project, ["e2e", "e2e"])] == ["e2e"]
    assert [one.name for one in suites.suites(project, [])] == ["unit", "e2e"]
    with pytest.raises(UsageError) as problem:
        suites.suites(project, ["unti"])
    assert problem.value.hint == "did you mean `unit`?"


def test_python_is_the_one_that_devenv_runs_on(project):
    runner = FakeRunner()
    run(project, Suite("unit", ("python", "-m", "unittest")), runner)
    assert runner.calls == [f"{sys.executable} -m unittest"]

import pytest

from devenv.config import Config, Receipts, Suite, load_config
from devenv.errors import UsageError


def load(tmp_path, text):
    path = tmp_path / "devenv.toml"
    path.write_text(text)
    return load_config(path)


def test_no_file_means_the_defaults(tmp_path):
    assert load_config(tmp_path / "devenv.toml") == Config()


def test_a_whole_file_is_read(tmp_path):
    config = load(tmp_path, '[up]\ntimeout_s = 9\n[secrets]\nA_KEY = "ck_"\n'
                            '[test.unit]\ncommand = ["pytest", "tests"]\nneeds_platform = true\n')
    assert config == Config({"A_KEY": "ck_"}, (Suite("unit", ("pytest", "tests"), True),), 9)


def test_all_problems_are_reported_at_once_with_their_lines(tmp_path):
    with pytest.raises(UsageError) as problem:
        load(tmp_path, '[up]\ntimeout = 9\n\n[secrets]\nlower = ""\nNUMBER = 3\n\n[test.unit]\ncommand = "pytest"\n')
    assert problem.value.message.splitlines()[1:] == [
        "  - line 2: unknown key `up.timeout`, did you mean `up.timeout_s`?",
        "  - line 5: `secrets.lower` is no name of an environment variable (A-Z, 0-9, _)",
        '  - line 6: `secrets.NUMBER` must be a text: the prefix of the generated value, or ""',
        "  - line 8: `test.unit.command` must be a list of texts, one for each argument",
    ]


def test_broken_toml_names_file_and_line(tmp_path):
    with pytest.raises(UsageError, match=r"devenv\.toml.*line 2"):
        load(tmp_path, "[up]\ntimeout_s =\n")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "devenv.toml"
    path.write_bytes(b"[up]\n# \xff\n")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        load_config(path)


@pytest.mark.parametrize("value", ["0", "-1", '"5"', "true"])
def test_a_timeout_must_be_a_positive_number(tmp_path, value):
    with pytest.raises(UsageError, match="number of seconds above 0"):
        load(tmp_path, f"[up]\ntimeout_s = {value}\n")


def test_skips_and_signers_are_read_and_checked(tmp_path):
    config = load(tmp_path, '[test.unit]\ncommand = ["pytest"]\nmay_skip = ["Tilt"]\n[receipts]\nkey = "a"\n'
                            'allowed_signers = "b"\n')
    assert (config.suites[0].may_skip, config.receipts) == (("Tilt",), Receipts("a", "b"))
    with pytest.raises(UsageError) as problem:
        load(tmp_path, '[test.unit]\ncommand = ["pytest"]\nmay_skip = "Tilt"\n[receipts]\nkey = 3\nsigners = "b"\n')
    assert problem.value.message.splitlines()[1:] == [
        "  - line 1: `test.unit.may_skip` must be a list of texts",
        "  - line 6: unknown key `receipts.signers`, did you mean `receipts.allowed_signers`?",
        "  - line 5: `receipts.key` must be a text: a path",
    ]

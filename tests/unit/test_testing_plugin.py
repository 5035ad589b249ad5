"""How the plugin says what went wrong in our own code."""

from __future__ import annotations

import errno
import os

import pytest

from devenv.errors import DevenvError
from devenv.testing.plugin import _plainly


@pytest.mark.parametrize(("problem", "said"), [
    (DevenvError("no engine", "start it"), "devenv: no engine\nhint: start it"),
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "lock"), "devenv: the disk is full: cannot write `lock`"),
])
def test_what_a_person_can_mend_is_a_sentence_without_a_traceback(problem: Exception, said: str) -> None:
    with pytest.raises(pytest.fail.Exception) as failed, _plainly():
        raise problem
    assert str(failed.value).startswith(said) and not failed.value.pytrace


def test_any_other_error_keeps_its_traceback() -> None:
    with pytest.raises(OSError), _plainly():
        raise OSError(errno.EIO, "broken", "disk")

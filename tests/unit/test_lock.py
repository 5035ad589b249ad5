import os
import subprocess
import sys

import pytest

from devenv.errors import LockedError
from devenv.lock import locked

HOLD = "import sys; from pathlib import Path; from devenv.lock import locked\n" \
       "with locked(Path(sys.argv[1]), 'up'): print('held', flush=True); sys.stdin.read()"


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout.readline() == "held\n"
        named = f"`devenv up`, process {holder.pid}"
        with pytest.raises(LockedError, match=named), locked(tmp_path, "down", wait=False):
            pass
        holder.stdin.close()


def test_the_death_of_its_holder_frees_the_lock(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        with locked(tmp_path, "up", wait=False):
            assert str(os.getpid()) in (tmp_path / "lock").read_text()

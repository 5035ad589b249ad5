"""Commands in a small project of a test's own."""

import os
import subprocess
import sys


def run(*words, cwd, check=True, **environment):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False,
                          env={**os.environ, "COSIGN_PASSWORD": "not a secret", **environment})
    assert done.returncode == 0 or not check, f"{words}: {done.stdout}{done.stderr}"
    return done


def devenv(project, *words, check=True, **environment):
    return run(sys.executable, "-m", "devenv", *words, cwd=project, check=check, **environment)

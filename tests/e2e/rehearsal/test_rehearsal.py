"""`devenv promote staging --rehearse` of this repository's own platform: the same digests, the flow, nothing left."""

import json
import signal
import subprocess
import time

from tests.e2e.checkout import docker
from tests.e2e.kind.conftest import with_programs


def receipt(root):
    (file,) = (root / ".devenv" / "receipts").glob("*.json")
    return json.loads(file.read_text())


def kubectl(said, *words):
    argv = ["kubectl", "--kubeconfig", said["kubeconfig"], "--namespace", said["namespace"], *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=with_programs()).stdout


def test_what_was_never_tested_is_refused_before_anything_is_made(tested):
    file = tested.root / "services" / "gateway" / "new.py"
    file.write_text("")
    try:
        refused = tested.run("promote", "staging", "--rehearse", check=False)
    finally:
        file.unlink()
    assert refused.returncode == 1
    assert "nothing was made" in refused.stderr and "the tree differs from its commit" in refused.stderr


def test_ctrl_c_removes_what_was_made(tested):
    process = tested.start("promote", "staging", "--rehearse")
    deadline = time.monotonic() + 120
    while not docker("ps", "--quiet", "--filter", f"name={tested.rehearsal}-control-plane"):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 130, said
    assert tested.left() == []


def test_the_tested_images_serve_the_whole_flow_in_a_rehearsal_after_one_that_was_killed(tested):
    killed = tested.run("promote", "staging", "--rehearse", check=False, DEVENV_FAILPOINT="make_surroundings:after")
    assert killed.returncode == -signal.SIGKILL
    assert tested.left() != []

    done = tested.run("promote", "staging", "--rehearse", "--keep", "--json")
    said = json.loads(done.stdout)
    assert "one was kept, or cut off: it goes" in done.stderr
    assert said["kept"] and said["left_out"] and "1 passed" in done.stderr, "the flow did not run"

    images = {name: one["image_id"] for name, one in receipt(tested.root)["images"].items()}
    assert {name: one["image_id"] for name, one in said["release"]["images"].items()} == images
    wanted = {name: one["reference"].partition("@")[2] for name, one in said["release"]["images"].items()}
    pods = json.loads(kubectl(said, "get", "pods", "--output", "json"))["items"]
    running = {pod["metadata"]["labels"]["app.kubernetes.io/name"]: one["imageID"].rpartition("@")[2]
               for pod in pods for one in pod["status"].get("containerStatuses", [])}
    assert {name: running[name] for name in wanted} == wanted

    # Logins come from the mocked AWS, where the environment's own Terraform has put them.
    secret = json.loads(kubectl(said, "get", "externalsecret", "credentials", "--output", "json"))
    assert {one["reason"] for one in secret["status"]["conditions"]} == {"SecretSynced"}

    tested.run("down", "--rehearsal")
    assert tested.left() == []
    assert "there was no rehearsal" in tested.run("down", "--rehearsal").stderr

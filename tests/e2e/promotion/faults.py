"""Faults of a promotion, and what a fault needs: a tested change, somebody else's lease, a server that is silent."""

import json
from datetime import UTC, datetime

from tests.e2e.promotion.project import container

# The steps in which faults strike, by how their titles begin.
APPLIED, RENDERED = "Apply what differs", "Write images and endpoints"


def crash(known):
    container(known, "worker")["env"].append({"name": "CRASH", "value": "yes"})


def missing_configuration(known):
    container(known, "worker")["envFrom"] = [{"configMapRef": {"name": "nowhere"}}]


def never_ready(known):
    container(known, "worker")["readinessProbe"]["httpGet"]["port"] = 9


def no_room(known):
    container(known, "worker")["resources"] = {"requests": {"cpu": "1000"}}


def changed(trial, version, fault=lambda known: None, **settings):
    """A tested change: another image of `web`, and the fault in `worker`."""
    trial.version("web", version)
    trial.manifests(change=fault)
    trial.configure(**settings)
    trial.tested()


def rolled_back(attempt, what, before):
    """After a promotion that could not end what it began, the next command by somebody who can."""
    done = attempt(f"{what}, then `devenv rollback`", 0, "rollback", "staging", "--yes")
    assert done.after == before


def hold(trial, holder):
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 300, "acquireTime": now, "renewTime": now,
            **({"leaseTransitions": 1_000_000} if holder else {})}
    trial.kubectl("patch", "lease", "devenv-promotion", "--type=merge", "--patch", json.dumps({"spec": spec}))


def other(trial):
    """The name of a state whose image of `web` does not run."""
    runs, two = trial.release()["images"]["web"]["image_id"], trial.states.get("two")
    return "one" if two and two[1] == runs else "two"


def takes_all_services_back(trial, attempt, fault, reason):
    """What is expected of a fault in `worker` while the image of `web` is new."""
    number = trial.release()["number"]
    changed(trial, "three", fault)
    done = attempt(fault.__name__.replace("_", " "), 4, "promote", "staging", "--yes", "--json")
    assert json.loads(done.stdout)["restored"] == number
    assert "`worker`" in done.stderr and reason in done.stderr
    assert done.after == done.before
    assert trial.release()["number"] == number
    trial.run("diff", "staging")


def ends_what_it_began(trial, attempt, point):
    """What is expected after a kill at a point: the same command brings what it was to bring."""
    image = trial.take(other(trial))
    before = trial.digests()
    trial.promote(code=-9, DEVENV_FAILPOINT=point)
    done = attempt(f"killed at `{point}`, then the same command", 0, before=before)
    assert trial.release()["images"]["web"]["image_id"] == image
    assert done.after == trial.released()
    trial.run("diff", "staging")

"""The rest of the matrix of faults: what takes longer than `make test` has time for."""

import pytest

from devenv.promotion.promote import PROMOTE as STEPS
from tests.e2e.promotion.faults import (
    ends_what_it_began,
    missing_configuration,
    never_ready,
    no_room,
    takes_all_services_back,
)

FAULTS = [(missing_configuration, "CreateContainerConfigError"), (never_ready, "not ready after"),
          (no_room, "Unschedulable")]
# Before each step, and after the last: before a step is after the one before it.
POINTS = [*(f"{step.__name__}:before" for step in STEPS), f"{STEPS[-1].__name__}:after"]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_fault_takes_all_services_back_and_exits_with_4(trial, attempt, fault, reason):
    takes_all_services_back(trial, attempt, fault, reason)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_step_the_same_command_ends_what_it_began(trial, attempt, point):
    ends_what_it_began(trial, attempt, point)

"""With Tilt on PATH it rolls out, on what devenv rolled out by itself before and the other way round."""

import shutil

import pytest

from tests.e2e.flow import whole_flow
from tests.e2e.kind.conftest import without_tilt

pytestmark = pytest.mark.skipif(shutil.which("tilt") is None,
                                reason="Tilt is in no package registry, and is not on PATH")


async def test_tilt_rolls_the_same_overlay_out(cluster, client):
    answer = cluster.up("--ci")
    assert not any("Tilt is not installed" in note for note in answer["notes"])
    await whole_flow(client)


def test_devenv_takes_over_from_tilt(cluster):
    answer = cluster.up(PATH=without_tilt())
    assert any("Tilt is not installed" in note for note in answer["notes"])
    assert {one["condition"] for one in cluster.status().values()} <= {"usable", "done"}

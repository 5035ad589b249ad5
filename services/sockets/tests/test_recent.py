"""Ids that passed lately."""

from sockets.recent import Recent


def test_an_id_is_new_once():
    recent = Recent(10)
    assert [recent.is_new(id) for id in "abab"] == [True, True, False, False]


def test_the_oldest_id_is_forgotten_first():
    recent = Recent(2)
    for id in "abc":
        recent.is_new(id)
    assert not recent.is_new("b")
    assert recent.is_new("a")


def test_an_id_that_comes_again_counts_as_young():
    recent = Recent(2)
    for id in "abac":
        recent.is_new(id)
    assert not recent.is_new("a")

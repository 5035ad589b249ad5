import shutil

import pytest

from devenv.errors import UsageError
from devenv.project import find


@pytest.fixture
def root(tmp_path):
    directory = tmp_path / "My Prøject"
    (directory / "deep" / "down").mkdir(parents=True)
    (directory / "compose.yaml").write_text("name: Shop\nservices: {}\n")
    return directory


def test_a_project_is_found_from_any_sub_directory(root):
    assert find(root / "deep" / "down").root == root


def test_outside_a_project_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(UsageError, match="no project here") as problem:
        find(tmp_path)
    assert "compose.yaml" in problem.value.hint


def test_the_name_comes_from_the_compose_file_and_the_path(root):
    name = find(root).name
    assert name.startswith("shop-") and len(name) == len("shop-") + 6


def test_without_a_name_the_directory_gives_one_that_compose_accepts(root):
    (root / "compose.yaml").write_text("services: {}\n")
    assert find(root).name.startswith("myprject-")


def test_moving_the_checkout_keeps_its_name_and_so_its_data(root, tmp_path):
    name = find(root).name
    moved = root.rename(tmp_path / "elsewhere")
    assert find(moved).name == name


def test_a_copy_of_the_checkout_gets_a_name_of_its_own(root, tmp_path):
    name = find(root).name
    copy = shutil.copytree(root, tmp_path / "copy")
    assert find(copy).name != name
    assert find(root).name == name


def test_a_linked_worktree_has_ports_of_its_own_and_a_clone_the_usual_ones(root, tmp_path):
    assert find(root).checkout.port_offset == 0
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "compose.yaml").write_text("services: {}\n")
    (linked / ".git").write_text("gitdir: elsewhere\n")
    offset = find(linked).checkout.port_offset
    assert offset and offset % 100 == 0


def test_the_state_directory_ignores_itself_in_git(root):
    assert find(root).name
    assert (root / ".devenv" / ".gitignore").read_text().splitlines()[-1] == "*"


def test_a_damaged_state_file_is_replaced_by_what_the_path_gives(root):
    name = find(root).name
    (root / ".devenv" / "checkout.json").write_text('{"path": ')
    assert find(root).name == name

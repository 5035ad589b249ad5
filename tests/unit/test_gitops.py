"""A release as a commit: the branch, with real repositories, and what Argo CD says of it."""

import json
import subprocess
from dataclasses import replace

import pytest

from devenv.config import Environment, load_config
from devenv.config.gitops import Gitops
from devenv.errors import CommandError, DevenvError, NotRolledBackError, RolledBackError, UsageError
from devenv.project import find
from devenv.promotion import argocd, committed, gitops, release, render, session
from devenv.promotion.branch import Branch
from devenv.promotion.context import Options, Place, Promotion
from devenv.shell import Runner
from tests.unit.fakes import FakeRunner


def git(root, *words):
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    return subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True,
                          text=True).stdout.strip()


@pytest.fixture(autouse=True)
def person(monkeypatch):
    """Whoever runs the tests need have no name."""
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "T")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "t@example.com")


@pytest.fixture
def bare(tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "bare.git")
    return tmp_path / "bare.git"


def clone(bare, root):
    git(bare.parent, "clone", "--quiet", str(bare), str(root))
    (root / ".state").mkdir()
    return Branch(Runner(), root, root / ".state", "origin", "releases", "k8s/releases/staging")


def put(branch, text, name="release.yaml", parent=None):
    parent = branch.fetch() if parent is None else parent
    commit = branch.commit(parent, {name: text} if text else {}, "a release\n")
    return branch.push(parent, commit), commit


def test_a_release_is_a_commit_that_touches_no_working_tree(bare, tmp_path):
    branch = clone(bare, tmp_path / "mine")
    (branch.root / "edited").write_text("not committed\n")
    assert branch.fetch() == ""
    assert put(branch, "one\n") == (True, git(bare, "rev-parse", "releases"))
    assert git(bare, "ls-tree", "-r", "--name-only", "releases") == "k8s/releases/staging/release.yaml"
    _, second = put(branch, "two\n", "other.yaml")
    assert git(bare, "log", "--format=%H", "releases").splitlines()[0] == second
    assert branch.files(second) == ["other.yaml"], "the folder is replaced, not added to"
    assert git(branch.root, "status", "--short") == "?? edited"
    assert git(branch.root, "for-each-ref", "--format=%(refname)", "refs/heads") == ""


def test_what_others_commit_stays_and_nothing_is_forced(bare, tmp_path):
    mine, theirs = clone(bare, tmp_path / "mine"), clone(bare, tmp_path / "theirs")
    theirs = replace(theirs, folder="k8s/releases/production")
    _, first = put(mine, "one\n")
    put(theirs, "theirs\n")
    moved, _ = put(mine, "two\n", parent=first)
    assert not moved, "a commit that does not follow the newest one is refused"
    moved, commit = put(mine, "two\n")
    assert moved and mine.file(commit, "release.yaml") == "two\n"
    assert theirs.file(theirs.fetch(), "release.yaml") == "theirs\n"
    assert git(bare, "rev-list", "--count", "releases") == "3"


def test_a_later_revision_counts_while_the_folder_is_the_same(bare, tmp_path):
    mine = clone(bare, tmp_path / "mine")
    _, one = put(mine, "one\n")
    _, two = put(mine, "two\n")
    other = replace(clone(bare, tmp_path / "theirs"), folder="k8s/releases/production")
    _, three = put(other, "theirs\n")
    assert mine.holds(two, two) and mine.holds(three, two), "also one that was never fetched"
    assert not mine.holds(one, two) and not mine.holds(two, one)
    assert not mine.holds("", two) and not mine.holds("0" * 40, two)


def test_a_remote_that_does_not_answer_is_no_empty_branch(bare, tmp_path):
    branch = clone(bare, tmp_path / "mine")
    with pytest.raises(CommandError):
        replace(branch, remote="nowhere").fetch()


def test_git_that_does_not_know_who_commits_is_told_before_anything_is_changed(bare, tmp_path, monkeypatch):
    branch = clone(bare, tmp_path / "mine")
    assert branch.nobody() == ""
    for key in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(key)
    for key, value in {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true",
                       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}.items():
        monkeypatch.setenv(key, value)
    assert "useConfigOnly" in branch.nobody() or "no email was given" in branch.nobody()


OBJECTS = ({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "annotations": {"text": "on --- ü 1e3\n---\n"}},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "r/web@sha256:1"}]}}}},
           {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}})


def test_what_is_written_is_read_back_and_what_is_not_ours_is_refused():
    text = committed.text("staging", OBJECTS)
    assert text.startswith("# written by `devenv promote staging --gitops`")
    assert committed.objects_of(text) == OBJECTS
    with pytest.raises(DevenvError, match="not as devenv wrote it"):
        committed.objects_of("# written\nkind: Deployment\n")


def test_the_preview_is_what_the_commit_changes():
    deployment = json.loads(json.dumps(OBJECTS[0]))
    deployment["spec"]["replicas"] = 2
    changed, gone = committed.differences(OBJECTS, (deployment, {**OBJECTS[1], "kind": "Ingress"}))
    assert [(one.object, one.field, one.after) for one in changed] == [
        ("Deployment/web", "spec.replicas", "2"), ("Ingress/web", "(object)", "created")]
    assert gone == (OBJECTS[1],)


def test_rights_are_not_committed(capsys):
    assert render.without_rights([{"kind": "Role", "metadata": {"name": "x"}}, *OBJECTS]) == list(OBJECTS)
    assert "Role/x" in capsys.readouterr().err


def status(revision="c2", sync="Synced", health="Healthy", phase="Succeeded", result="c2", **more):
    return {"sync": {"status": sync, "revision": revision}, "health": {"status": health},
            "operationState": {"phase": phase, "message": "said", "syncResult": {"revision": result, **more}}}


def is_c2(revision):
    return revision == "c2"


@pytest.mark.parametrize(("seen", "said"), [
    (status(), ""), (status(revision="c1"), "is at c1"), ({}, "is at no commit"),
    (status(sync="OutOfSync"), "`OutOfSync`"), (status(phase="Running"), "goes on"),
    (status(health="Progressing"), "`Progressing`"),
])
def test_the_end_is_synced_and_healthy_at_the_commit(seen, said):
    missing = argocd.missing(seen, is_c2)
    assert (said in missing) if said else not missing


@pytest.mark.parametrize(("seen", "told"), [
    (status(), []),
    (status(phase="Running", resources=[{"kind": "Role", "name": "r", "status": "SyncFailed", "message": "no"}]),
     ["Role/r is refused: no"]),
    (status(phase="Failed"), ["the sync failed: said"]),
    (status(phase="Failed", result="c1"), []),
    (status(health="Degraded"), ["Degraded: an object is not healthy"]),
    (status(health="Degraded", revision="c1"), []),
    ({"conditions": [{"type": "ComparisonError", "message": "no path"}, {"type": "SharedResourceWarning"}]},
     ["ComparisonError: no path"]),
])
def test_what_argo_cd_will_never_bring_is_told_for_this_commit_alone(seen, told):
    assert [reason for reason, _ in argocd.reasons(seen, is_c2)] == told


def test_a_sync_of_an_older_commit_that_does_not_end_is_known_for_a_block():
    assert argocd.blocks(status(phase="Running", result="c1"), is_c2)
    assert not argocd.blocks(status(phase="Running", result="c1", revision="c1"), is_c2), "it has not seen ours yet"
    assert not argocd.blocks(status(phase="Running"), is_c2)


def test_every_problem_of_the_table_is_told_and_an_empty_one_will_do(tmp_path):
    file = tmp_path / "devenv.toml"
    place = '[environments.staging]\ncontext = "s"\ncluster_uid = "1"\n'
    file.write_text(place + '[environments.staging.gitops]\nbranch = ""\nfolder = 1\nbrunch = "x"\n')
    with pytest.raises(UsageError) as refused:
        load_config(file)
    for text in ("gitops.branch` must be a text", "gitops.folder` must be", "unknown key `environments.staging.gitops"):
        assert text in refused.value.message
    file.write_text(place + "[environments.staging.gitops]\n")
    assert load_config(file).environments["staging"].gitops == Gitops()
    file.write_text(place)
    assert load_config(file).environments["staging"].gitops is None


class GitAlone(FakeRunner):
    """Git is real, everything else answers from the table; an answer may be a function of the words."""

    def read(self, *argv, **more):
        if argv[0] == "git":
            return Runner.read(self, *argv, **more)
        answer = next((each for key, each in self.answers.items() if callable(each) and key in " ".join(argv)), None)
        if answer:
            self.calls.append(" ".join(argv))
            return answer(*argv)
        return super().read(*argv, **more)


class HeldLease:
    token = 1

    def check(self):
        """Still ours."""

    def release(self):
        """Given up."""


def running(objects):
    """A cluster in which what is committed runs."""
    made = [{**one, "metadata": {**one["metadata"], "uid": "u", "generation": 1}, "status": {
        "observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1, "replicas": 1}}
        for one in objects if one["kind"] == "Deployment"]
    revised = {"deployment.kubernetes.io/revision": "1"}
    for one in made:
        one["metadata"]["annotations"] = revised
    sets = [{"kind": "ReplicaSet", "metadata": {"name": "s", "uid": "s", "annotations": revised,
                                                "ownerReferences": [{"uid": "u"}]}} for _ in made]
    pods = [{"kind": "Pod", "metadata": {"name": "p", "ownerReferences": [{"uid": "s"}]}, "status": {
        "containerStatuses": [{"imageID": each["image"]}
                              for each in one["spec"]["template"]["spec"]["containers"]]}} for one in made]
    return json.dumps({"items": [*made, *sets, *pods]})


@pytest.fixture
def promotion(bare, tmp_path, monkeypatch):
    """A promotion whose Argo CD brings at once what is committed, and is healthy unless the image says otherwise."""
    monkeypatch.setattr(gitops, "POLL_S", 0)
    monkeypatch.setattr(argocd, "DEGRADED_S", 0)
    root = clone(bare, tmp_path / "shop").root
    (root / "compose.yaml").write_text("name: shop\nservices: {}\n")
    overlay = root / "k8s" / "overlays" / "staging"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("namespace: shop\n")
    project = find(root)
    _ = project.checkout
    environment = Environment("staging", "c", "u", overlay="staging", gitops=Gitops())
    runner = GitAlone({})
    made = Promotion(project, runner, None, environment, Options(), lambda _: True)
    made.lease, made.namespace_exists = HeldLease(), True
    made.state.mkdir(parents=True)

    def there():
        tip = made.branch.fetch()
        found = made.branch.file(tip, committed.FILE)
        return tip, committed.objects_of(found) if found else ()

    def application(*_):
        tip, objects = there()
        bad = "bad" in json.dumps(objects)
        one = status(revision=tip, result=tip, health="Degraded" if bad else "Healthy",
                     sync="Synced" if objects else "Unknown")
        spec = {"source": {"path": "k8s/releases/staging", "targetRevision": "releases"},
                "syncPolicy": {"automated": {}}}
        return json.dumps({"spec": spec, "status": one})

    runner.answers = {"get applications.argoproj.io": application,
                      "get deployments,statefulsets": lambda *_: running(there()[1]),
                      "get --ignore-not-found": '{"kind": "List", "items": []}',
                      "imagetools": '{"config": {"digest": "sha256:i"}}'}
    return made


def a_release(number, image, status=release.APPLYING):
    objects = json.loads(json.dumps(OBJECTS))
    objects[0]["spec"]["template"]["spec"]["containers"][0]["image"] = f"r/web@sha256:{image}"
    return release.Release(image, {"web": release.Image("sha256:i", f"r/web@sha256:{image}")}, "r", "c", "m", "t", "me",
                           number, status, objects=tuple(objects))


def promote(promotion, target):
    """The steps from the comparison on, as `devenv promote` runs them."""
    promotion.target, promotion.began, promotion.unchanged = target, False, False
    steps = [one for one in gitops.PROMOTE_BY_COMMIT if one.__name__ not in (
        "check", "push_images", "apply_terraform", "make_release")]

    def look(promotion):
        """Look."""
        assert list(committed.problems(promotion)) == []

    session._run(promotion, "promote", (look, *steps))
    promotion.releases = (promotion.target, *promotion.releases)


def log(bare):
    return git(bare, "log", "--format=%s", "releases").splitlines()


def test_a_promotion_is_one_commit_and_the_same_again_is_none(promotion, bare):
    promote(promotion, a_release(0, "1"))
    assert log(bare) == ["shop: staging runs release 1"]
    assert promotion.target.status == release.DEPLOYED
    promote(promotion, a_release(0, "1"))
    assert promotion.unchanged and len(log(bare)) == 1


def test_cut_off_after_the_push_it_goes_on_without_a_second_commit(promotion, bare):
    promotion.releases = (a_release(1, "1"),)
    promotion.lease = HeldLease()
    committed.read(promotion)
    gitops._commit(promotion, a_release(1, "1").objects, (), "shop: staging runs release 1\n")
    promote(promotion, a_release(0, "1"))
    assert promotion.target.number == 1 and len(log(bare)) == 1


def test_what_does_not_become_healthy_is_reverted_by_a_commit_and_exits_with_4(promotion, bare):
    promote(promotion, a_release(0, "1"))
    good = git(bare, "rev-parse", "releases:k8s")
    with pytest.raises(RolledBackError, match="release 1 runs again") as ended:
        promote(promotion, a_release(0, "bad"))
    assert ended.value.details["restored"] == 1
    assert log(bare)[:2] == ["shop: staging runs release 1 again", "shop: staging runs release 2"]
    assert git(bare, "rev-parse", "releases:k8s") == good
    assert "This reverts commit" in git(bare, "log", "-1", "--format=%b", "releases")


def test_a_first_release_that_fails_leaves_nothing_committed(promotion, bare):
    with pytest.raises(RolledBackError, match="there was none before"):
        promote(promotion, a_release(0, "bad"))
    assert git(bare, "ls-tree", "-r", "releases") == ""


def test_what_somebody_else_commits_meanwhile_is_left_and_told(promotion, bare, tmp_path):
    promote(promotion, a_release(0, "1"))
    other = clone(bare, tmp_path / "theirs")
    theirs = committed.text("staging", a_release(0, "theirs").objects)

    def and_meanwhile(question):
        put(other, theirs)
        return True

    promotion.confirm = and_meanwhile
    with pytest.raises(NotRolledBackError, match="somebody has changed"):
        promote(promotion, a_release(0, "2"))
    assert other.file(other.fetch(), committed.FILE) == theirs


def test_rollback_is_a_commit_of_what_ran_before(promotion, bare):
    for image in ("1", "2"):
        promote(promotion, a_release(0, image))
    was = git(bare, "rev-parse", "releases~1:k8s")
    committed.read(promotion)
    gitops.restore(replace(promotion, target=None), promotion.releases[1])
    assert git(bare, "rev-parse", "releases:k8s") == was
    assert log(bare)[0] == "shop: staging runs release 1 again"


def test_a_rehearsal_commits_nothing(promotion, tmp_path):
    place = Place(promotion.project, tmp_path, {}, "http://localhost", tmp_path, ())
    assert replace(promotion, place=place).environment.gitops is None


def test_an_application_that_follows_something_else_is_refused(promotion):
    promotion.environment = replace(promotion.environment, gitops=Gitops(folder="elsewhere"))
    found, = committed.problems(promotion)
    assert "follows `k8s/releases/staging` of `releases`" in found and "`elsewhere`" in found
    promotion.runner.answers["get applications.argoproj.io"] = lambda *_: ""
    assert "Argo CD has no Application `shop-staging`" in next(committed.problems(promotion))

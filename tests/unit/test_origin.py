"""What a promotion asks of CI: provenance, and a receipt that CI has signed onto the same images."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest

from devenv.config import Environment, load_config
from devenv.errors import UsageError
from devenv.images.registry import content_tag
from devenv.project import find
from devenv.promotion import origin, preflight, release
from devenv.promotion.context import Options, Promotion
from devenv.receipts import Image, Receipt, Suite, manifest_hash
from devenv.supply.cosign import PROVENANCE, TESTS
from devenv.supply.provenance import outcome_of_tests, provenance
from tests.unit.fakes import FakeRunner

COMMIT = "c" * 40
IDS = {"web": "sha256:" + "1" * 64, "worker": "sha256:" + "2" * 64}
REGISTRY = "r.example/shop"
SETTINGS = """\
[supply]
identity = "https://github.com/team/shop/.*"
{supply}
[test.unit]
command = ["pytest"]
[environments.staging]
context = "s"
cluster_uid = "1"
registry = "r.example/shop"
provenance = "warn"
[environments.production]
context = "p"
cluster_uid = "2"
registry = "r.example/shop"
from = "staging"
provenance = "ci"
suites = ["unit"]
"""


class Local:
    """What `images_now` says of an image."""

    def __init__(self, reference, image_id):
        self.reference, self.image_id, self.platform = reference, image_id, "linux/amd64"


def manifest(name):
    return json.dumps({"config": {"digest": IDS[name]}})


def digest(name):
    return sha256(manifest(name).encode()).hexdigest()


def signed(name, kind, *predicates):
    subject = [{"name": name, "digest": {"sha256": digest(name)}}]
    statements = [json.dumps({"predicateType": kind, "subject": subject, "predicate": one}) for one in predicates]
    return "".join(json.dumps({"payload": b64encode(one.encode()).decode()}) + "\n" for one in statements)


def a_receipt(project, suites=("unit",), images=IDS, commit=COMMIT):
    return Receipt(
        project="shop", made_at="2026-11-25T08:00:00+00:00", commit=commit, dirty=False,
        images={name: Image(one, name, "linux/amd64") for name, one in images.items()}, backends={},
        manifests={name: manifest_hash(project.root, name) for name in ("staging", "production")},
        suites=tuple(Suite(name, 5, 0, 0, 1.0) for name in suites), tools={})


def ci(**of):
    """What the registry and cosign say where CI has signed `tests` for each image; `of` leaves some out."""
    said = {}
    for name in IDS:
        said[f"imagetools inspect --raw {content_tag(f'{REGISTRY}/{name}', IDS[name])}"] = manifest(name)
        said[f"imagetools inspect --raw {REGISTRY}/{name}@sha256:{digest(name)}"] = manifest(name)
        built = [] if name in of.get("unsigned", ()) else [provenance(name, COMMIT, {})]
        for kind, short, predicates in (
            (PROVENANCE, "slsaprovenance1", built),
            (TESTS, TESTS, [outcome_of_tests(one) for one in of.get(name, of.get("tests", ()))]),
        ):
            said[f"--type {short} {REGISTRY}/{name}@"] = signed(name, kind, *predicates) if predicates else 1
    return {**said, "cosign": 1, "rev-parse": COMMIT, "imagetools": 1}


@pytest.fixture
def make(tmp_path):
    def make(environment="production", answers=None, supply="", taken=True):
        (tmp_path / ".git").mkdir(exist_ok=True)
        (tmp_path / "compose.yaml").write_text("name: shop\nservices: {}\n")
        (tmp_path / "devenv.toml").write_text(SETTINGS.format(supply=supply))
        for name in ("staging", "production"):
            folder = tmp_path / "k8s" / "overlays" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "kustomization.yaml").write_text("namespace: shop\n")
        project = find(tmp_path)
        _ = project.checkout
        made = Promotion(project, FakeRunner(answers), None, project.config.environments[environment], Options(),
                         lambda _: True)
        if taken:
            images = {name: release.Image(IDS[name], f"{REGISTRY}/{name}@sha256:{digest(name)}") for name in IDS}
            made.taken = release.Release("one", images, "laptop's", "old", "m", "t", "me")
        else:
            made.local = {name: Local(f"{project.name}-{name}:latest", IDS[name]) for name in IDS}
        return made

    return make


def of(made, *receipts, **more):
    made.runner = FakeRunner(ci(tests=receipts, **more))
    return made


def test_production_takes_what_ci_has_built_and_tested_and_records_its_receipt(make):
    made = make()
    receipt = a_receipt(made.project)
    assert origin.problems(of(made, receipt)) == []
    assert (made.taken.receipt, made.taken.commit) == (receipt.id, COMMIT)
    assert all("--certificate-identity-regexp" in line for line in made.runner.calls if "cosign" in line)


def test_each_image_without_provenance_is_a_reason_of_its_own(make):
    made = make()
    found = origin.problems(of(made, a_receipt(made.project), unsigned=("web", "worker")))
    assert [line.partition(":")[0] for line in found] == [
        "`web` is not known to come from CI", "`worker` is not known to come from CI"]
    assert all("push the commit, and promote what CI has built and tested" in line for line in found)


def test_a_laptops_receipt_does_not_suffice_for_production(make):
    assert origin.problems(of(make())) == [
        "what CI has signed about the tests does not suffice: there is no receipt for all of these images"]


@pytest.mark.parametrize(("change", "problem"), [
    ({"suites": ("lint",)}, "the suite `unit` did not run"),
    ({"images": {**IDS, "other": IDS["web"]}}, "`other` was tested too"),
])
def test_a_signed_receipt_must_say_what_the_environment_asks_for(make, change, problem):
    made = make()
    [found] = origin.problems(of(made, a_receipt(made.project, **change)))
    assert problem in found


def test_a_receipt_on_one_of_the_images_only_does_not_count(make):
    made = make()
    [found] = origin.problems(of(made, a_receipt(made.project), worker=()))
    assert "no receipt for all of these images" in found


def test_staging_is_warned_and_goes_on_with_the_laptops_receipt(make, capsys):
    made = make("staging", taken=False)
    assert origin.problems(of(made, unsigned=("web",))) == [] and made.receipt is None
    said = " ".join(capsys.readouterr().err.split())
    assert "`web` is not known to come from CI" in said and "enough for `staging`" in said


def test_what_is_promoted_from_this_machine_is_looked_up_by_content(make):
    made = make(taken=False)
    receipt = a_receipt(made.project)
    assert origin.problems(of(made, receipt)) == [] and made.receipt == receipt
    [found] = origin.problems(of(made, a_receipt(made.project, commit="d" * 40)))
    assert "it was made at commit dddddddddddd" in found


def test_where_ci_pushes_elsewhere_its_registry_is_asked(make):
    made = make(supply='registry = "ghcr.io/team/shop/"')
    assert origin.references(made)["web"] == (content_tag("ghcr.io/team/shop/web", IDS["web"]), IDS["web"])


def test_another_image_under_the_tag_of_one_is_noticed(make):
    made = make(taken=False)
    moved = {f"imagetools inspect --raw {content_tag(f'{REGISTRY}/web', IDS['web'])}": manifest("worker")}
    by_ci = {f"slsaprovenance1 {REGISTRY}/web@sha256:{digest('worker')}":
             signed("worker", PROVENANCE, provenance("worker", COMMIT, {}))}
    made.runner = FakeRunner({**by_ci, **ci(), **moved})
    assert any("is another image than the one to promote" in one for one in origin.problems(made))


def test_without_the_setting_nobody_is_asked(make):
    made = make()
    made.environment = Environment("production", "p", "2")
    assert origin.problems(made) == [] and made.runner.calls == []


def test_it_is_one_of_all_the_reasons_that_the_preflight_tells_at_once(make, monkeypatch):
    made = of(make(taken=False))
    for name in ("_terraform", "_local", "_cluster"):
        monkeypatch.setattr(preflight, name, lambda promotion, name=name: iter([name]))
    found = preflight.problems(made)
    assert found[:3] == ["_terraform", "_local", "_cluster"] and "what CI has signed" in found[3]


def test_the_setting_needs_to_know_who_ci_is(tmp_path):
    file = tmp_path / "devenv.toml"
    file.write_text('[environments.a]\ncontext = "s"\ncluster_uid = "1"\nprovenance = "ci"\n'
                    '[environments.b]\ncontext = "s"\ncluster_uid = "1"\nprovenance = "github"\n')
    with pytest.raises(UsageError) as refused:
        load_config(file)
    assert "environments.a.provenance` needs `supply.identity`" in refused.value.message
    assert '`environments.b.provenance` must be "ci" or "warn"' in refused.value.message

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devenv.errors import CommandError, DevenvError, LockedError, UsageError
from devenv.terraform import Plan, Terraform, diagnostics, providers, rehearsal
from devenv.terraform.outputs import backends_env, env_text, secret_names
from tests.unit.fakes import FakeRunner

NOW = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
LOCK = 'provider "registry.example/acme/aws" {\n  version = "1.0.0"\n}\n'


def backends(**environments):
    return {"backends": {name: {"environment": one, "secret": None} for name, one in environments.items()}}


def failure(*diagnostics_):
    lines = [json.dumps({"@level": "info", "type": "version"})]
    lines += [json.dumps({"@level": "error", "type": "diagnostic", "diagnostic": one}) for one in diagnostics_]
    return CommandError(("terraform", "plan"), 1, "\n".join(lines))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.delenv(providers.MIRROR, raising=False)
    where = tmp_path / "repository" / "terraform" / "envs" / "staging"
    where.mkdir(parents=True)
    (where / ".terraform.lock.hcl").write_text(LOCK)
    (where / "main.tf").write_text("# one\n")
    return where


def test_terraform_older_than_the_files_need_is_refused(folder, tmp_path):
    runner = FakeRunner({"version": '{"terraform_version": "1.9.8"}'})
    with pytest.raises(DevenvError, match=r"terraform 1\.9\.8 is too old: the files need 1\.11"):
        Terraform(runner, folder, tmp_path / "data").require()


@pytest.mark.parametrize("version", ["1.11.0", "1.12.0-beta1", "2.0.0"])
def test_terraform_that_is_new_enough_is_taken(folder, tmp_path, version):
    Terraform(FakeRunner({"version": f'{{"terraform_version": "{version}"}}'}), folder, tmp_path / "data").require()


def test_init_runs_again_only_after_a_change(folder, tmp_path):
    runner = FakeRunner()
    terraform = Terraform(runner, folder, tmp_path / "data")

    def runs(backend):
        before = len(runner.calls)
        terraform.init(backend)
        return len(runner.calls) - before

    assert runs({"bucket": "one"}) == 1
    assert "-backend-config=bucket=one" in runner.calls[0] and "-lockfile=readonly" in runner.calls[0]
    assert runs({"bucket": "one"}) == 0
    assert runs({"bucket": "two"}) == 1
    (folder / "main.tf").write_text("# two\n")
    assert runs({"bucket": "two"}) == 1
    (folder / ".terraform.lock.hcl").write_text(LOCK + "# newer\n")
    assert runs({"bucket": "two"}) == 1
    assert runs({"bucket": "two"}) == 0


def test_init_runs_again_after_a_change_in_a_module(folder, tmp_path):
    runner = FakeRunner()
    terraform = Terraform(runner, folder, tmp_path / "data")
    module = folder.parents[1] / "modules" / "one"
    module.mkdir(parents=True)
    (tmp_path / "data" / "modules").mkdir(parents=True)
    listed = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "one", "Dir": "../../modules/one"}]}
    (tmp_path / "data" / "modules" / "modules.json").write_text(json.dumps(listed))
    terraform.init()
    (module / "main.tf").write_text("# new\n")
    terraform.init()
    assert len(runner.calls) == 2


def test_a_plan_names_what_it_changes():
    shown = {
        "resource_changes": [
            {"address": "b", "change": {"actions": ["delete", "create"]}},
            {"address": "a", "change": {"actions": ["update"]}},
            {"address": "c", "change": {"actions": ["no-op"]}},
            {"address": "d", "change": {"actions": ["read"]}},
        ]
    }
    plan = Plan(Path("saved.plan"), shown)
    assert [(one.address, one.actions) for one in plan.changes] == [("a", ("update",)), ("b", ("delete", "create"))]
    assert not plan.empty


def test_a_plan_of_nothing_is_empty_and_one_of_an_output_is_not():
    assert Plan(Path("p"), {"output_changes": {"dns": {"actions": ["no-op"]}}}).empty
    assert not Plan(Path("p"), {"output_changes": {"dns": {"actions": ["update"]}}}).empty


def test_a_plan_of_nothing_is_not_shown_which_would_start_the_providers_again(folder, tmp_path):
    def shows(count, action):
        summary = {"type": "change_summary", "changes": {"add": 0, "change": count, "remove": 0}}
        outputs = {"type": "outputs", "outputs": {"dns": {"action": action}}}
        runner = FakeRunner({" plan ": f"{json.dumps(summary)}\n{json.dumps(outputs)}\n", " show ": "{}"})
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "saved.plan").touch()
        Terraform(runner, folder, tmp_path / "data").plan()
        return len(runner.calls) == 2

    assert not shows(0, "noop")
    assert shows(1, "noop")
    assert shows(0, "update")


def test_a_plan_tells_the_outputs_to_come_and_what_only_an_apply_tells():
    shown = {"output_changes": {
        "dns": {"actions": ["no-op"], "after": {"host": "h"}, "after_unknown": False},
        "backends": {"actions": ["create"], "after": {"store": {"secret": None}},
                     "after_unknown": {"store": {"environment": {"STORE": True}}}},
        "cluster": {"actions": ["create"], "after_unknown": True},
        "old": {"actions": ["delete"], "before": 1},
    }}
    assert Plan(Path("p"), shown).outputs == {
        "dns": {"host": "h"}, "cluster": "(known after apply)",
        "backends": {"store": {"secret": None, "environment": {"STORE": "(known after apply)"}}},
    }


def test_a_held_state_names_its_holder_and_for_how_long():
    detail = (
        "Error message: operation error S3\nLock Info:\n  ID:        4711\n  Path:      b/staging\n"
        "  Operation: OperationTypeApply\n  Who:       kim@laptop\n  Created:   2026-01-01 00:00:00.123 +0000 UTC\n"
    )
    said = failure({"summary": "Error acquiring the state lock", "detail": detail})
    found = diagnostics.explain(said, Path("f"), NOW)
    assert isinstance(found, LockedError)
    assert "locked by kim@laptop for 3 hours (OperationTypeApply)" in found.message
    assert "only if that process is dead: terraform -chdir=f force-unlock 4711" in found.hint


def test_what_terraform_refuses_is_named_by_place():
    found = diagnostics.explain(failure(
        {"summary": "No such zone", "detail": "it is\n\nnot there", "address": "module.dns.data.zone.this"},
        {"summary": "Missing", "detail": "", "range": {"filename": "main.tf", "start": {"line": 3}}},
    ), Path("f"))
    assert found.message == (
        "Terraform cannot go on in `f`:\n  - module.dns.data.zone.this: No such zone: it is not there\n"
        "  - main.tf:3: Missing"
    )


def test_a_failure_that_is_no_diagnostic_stays_as_it_is():
    plain = CommandError(("terraform", "init"), 1, "Error: no network")
    assert diagnostics.explain(plain, Path("f")) is plain


def test_a_persons_own_configuration_decides_where_providers_come_from(folder, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".terraformrc").write_text("")
    assert providers.source(folder, tmp_path) == {}


def test_a_mirror_with_the_locked_providers_is_used(folder, tmp_path, monkeypatch):
    (tmp_path / "mirror" / "registry.example/acme/aws").mkdir(parents=True)
    monkeypatch.setenv(providers.MIRROR, str(tmp_path / "mirror"))
    found = providers.source(folder, tmp_path)
    text = Path(found["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'path    = "{tmp_path}/mirror"' in text
    assert 'include = ["registry.example/acme/aws"]' in text
    assert "TF_PLUGIN_CACHE_DIR" not in found


def test_a_mirror_without_the_locked_providers_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(providers.MIRROR, str(tmp_path))
    with pytest.raises(UsageError, match="has no registry.example/acme/aws"):
        providers.source(folder, tmp_path)


def test_without_a_mirror_providers_come_on_line_and_are_kept(folder, tmp_path):
    found = providers.source(folder, tmp_path)
    assert Path(found["TF_CLI_CONFIG_FILE"]).read_text() == ""
    assert Path(found["TF_PLUGIN_CACHE_DIR"]).is_dir()


def test_backends_env_is_the_output_as_it_is():
    outputs = backends(redis={"REDIS_URL": "rediss://u@h:1/0"}, mongodb={"MONGODB_ADDRESS": "h:1/?a=b&c=d"})
    assert backends_env(outputs) == {"MONGODB_ADDRESS": "h:1/?a=b&c=d", "REDIS_URL": "rediss://u@h:1/0"}
    assert env_text(backends_env(outputs), "written by us") == (
        "# written by us\nMONGODB_ADDRESS=h:1/?a=b&c=d\nREDIS_URL=rediss://u@h:1/0\n"
    )


def test_backends_env_refuses_a_key_that_two_backends_say():
    with pytest.raises(UsageError, match="has `URL` twice, last in `b`"):
        backends_env(backends(a={"URL": "1"}, b={"URL": "2"}))


def test_backends_env_refuses_a_value_that_no_environment_file_can_hold():
    with pytest.raises(UsageError, match="more than one line in `URL`"):
        backends_env(backends(a={"URL": "1\nEVIL=2"}))


@pytest.mark.parametrize("outputs", [{}, {"backends": {"a": {"environment": {"N": 1}, "secret": None}}},
                                     {"backends": {"a": {"environment": {}}}}])
def test_backends_env_refuses_another_shape(outputs):
    with pytest.raises(UsageError, match="backends"):
        backends_env(outputs)


def test_secret_names_are_those_of_backends_with_a_login():
    said = {"a": {"environment": {}, "secret": "x/a"}, "b": {"environment": {}, "secret": None}}
    assert secret_names({"backends": said}) == {"a": "x/a"}


def test_a_rehearsal_sees_the_repository_and_its_own_terraform(folder, tmp_path):
    root = tmp_path / "repository"
    (root / "k8s").mkdir()
    (root / "k8s" / "versions.json").write_text("{}")
    (root / "terraform" / "rehearsal" / "envs" / "staging").mkdir(parents=True)
    (root / "terraform" / "rehearsal" / "envs" / "staging" / "extra_override.tf").write_text("# laid over\n")
    (root / "terraform" / "envs" / "staging" / "terraform.tfstate").write_text("not to be copied")

    copied = rehearsal.copy(root, tmp_path / "trial")

    assert (copied / "envs" / "staging" / "extra_override.tf").read_text() == "# laid over\n"
    assert not (copied / "envs" / "staging" / "terraform.tfstate").exists()
    assert (copied / "envs" / "staging" / "../../../k8s/versions.json").read_text() == "{}"
    assert not (root / "terraform" / "envs" / "staging" / "extra_override.tf").exists()


def test_settings_go_to_the_backend_whose_name_they_begin_with():
    settings = {"REDIS_URL": "r", "S3_REGION": "s", "S3_KEY": "k"}
    found = rehearsal.by_backend(settings, {"redis": "REDIS_", "minio": "S3_"})
    assert found == {"redis": {"REDIS_URL": "r"}, "minio": {"S3_REGION": "s", "S3_KEY": "k"}}


def test_a_rehearsal_reaches_no_account_of_a_person(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    found = rehearsal.environment("http://127.0.0.1:1")
    assert found["AWS_PROFILE"] == found["AWS_ENDPOINT_URL_S3"] == ""
    assert (found["AWS_ENDPOINT_URL"], found["AWS_ACCESS_KEY_ID"]) == ("http://127.0.0.1:1", "test")

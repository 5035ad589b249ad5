import pytest

from devenv.model import Model
from devenv.parity.composed import marker, read
from devenv.parity.facts import UNKNOWN


def facts(category, service="web", /, **definition):
    services = {"web": {"image": "shop-web", "build": {"context": "/nowhere"}}, "db": {"image": "postgres:17"}}
    services[service] = services[service] | definition
    return read(Model({"name": "shop", "services": services})).workloads[service].facts[category]


def test_an_image_of_our_own_loses_the_project_and_one_of_others_keeps_its_name():
    assert facts("images") == {"image": "web"}
    assert facts("images", image="ghcr.io/acme/shop-web") == {"image": "web"}
    assert facts("images", "db", image="docker.io/library/postgres:17") == {"image": "postgres"}
    assert facts("versions", "db") == {"version": "17"}
    assert facts("versions", "db", image="quay.io:443/pg/pg@sha256:1") == {"version": "sha256:1"}


def test_marks_tell_which_secrets_a_value_is_made_of():
    environment = {"URL": f"pg://u:{marker('DB_PASSWORD')}@db:5432", "PLAIN": "x", "HOST_ONLY": None}
    assert facts("environment", environment=environment) == {"URL": "pg://u:${DB_PASSWORD}@db:5432", "PLAIN": "x"}
    assert facts("secrets", environment=environment) == {"URL": "DB_PASSWORD"}


def test_a_secret_that_is_a_file_is_a_secret():
    assert facts("secrets", secrets=[{"source": "key"}, {"source": "ca", "target": "/etc/ca.pem"}]) == {
        "/run/secrets/key": "a file", "/etc/ca.pem": "a file",
    }


def test_ports_are_those_published_exposed_or_addressed():
    assert facts("ports", ports=[{"target": 80, "published": "8080", "protocol": "tcp"}],
                 expose=["81", "53/udp"]) == {"80": "open", "81": "open", "53/udp": "open"}
    services = {"web": {"image": "w", "environment": {"DB": "pg://db:5432"}}, "db": {"image": "d"}}
    assert read(Model({"name": "shop", "services": services})).workloads["db"].facts["ports"] == {"5432": "open"}


@pytest.mark.parametrize(("test", "asked"), [
    (["CMD", "curl", "-f", "http://localhost:8080/ready"], "GET /ready on 8080"),
    (["CMD-SHELL", "wget -q http://127.0.0.1/ || exit 1"], "GET / on 80"),
    (["CMD-SHELL", "curl -fk 'https://localhost/x?y=1'"], "GET /x?y=1 on 443"),
    (["CMD", "pg_isready", "-U", "me"], "pg_isready -U me"),
    (["CMD-SHELL", "pg_isready | grep ok"], "sh -c 'pg_isready | grep ok'"),
])
def test_a_health_check_is_a_request_where_it_names_a_url(test, asked):
    assert facts("health", healthcheck={"test": test}) == {"check": asked}


@pytest.mark.parametrize("check", [{"disable": True}, {"test": ["NONE"]}, None])
def test_no_health_check_means_no_facts_about_it(check):
    assert facts("health", healthcheck=check) == {}
    assert facts("timing", healthcheck=check) == {"stop grace": "10 s"}


def test_timing_is_in_whole_seconds_with_composes_defaults():
    check = {"test": ["CMD", "true"], "interval": "1m30s", "start_interval": "500ms"}
    assert facts("timing", healthcheck=check, stop_grace_period="15s") == {
        "stop grace": "15 s", "interval": "90 s", "timeout": "30 s", "retries": "3", "start period": "0 s",
        "start interval": "1 s",
    }


def test_volumes_say_what_lies_where():
    mounts = [{"type": "volume", "source": "d", "target": "/data"},
              {"type": "bind", "source": "/src", "target": "/app", "read_only": True}]
    assert facts("volumes", tmpfs=["/tmp:size=1m"], volumes=mounts) == {
        "/tmp": "scratch", "/data": "data", "/app": "a directory of the machine, read-only",
    }


def test_limits_are_spelled_like_kubernetes():
    limits = {"resources": {"limits": {"memory": "536870912", "cpus": 0.5}}}
    assert facts("limits", deploy=limits) == {"memory": "512Mi", "cpu": "0.5"}
    assert facts("limits", mem_limit="1073741824", cpus=2) == {"memory": "1024Mi", "cpu": "2"}


def test_the_user_is_the_one_of_the_file_or_of_the_dockerfile(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM a AS b\nUSER root\nFROM c\nUSER 10001:10001\n")
    assert facts("security", build={"context": str(tmp_path)})["user"] == "10001"
    assert facts("security", build={"context": str(tmp_path)}, user="5:6")["group"] == "6"
    assert facts("security", "db")["user"] == UNKNOWN
    assert facts("security", "db", user="postgres")["user"] == UNKNOWN


def test_security_says_what_a_process_may():
    said = facts("security", read_only=True, cap_drop=["ALL"], cap_add=["CAP_NET_BIND_SERVICE"],
                 security_opt=["no-new-privileges:true"])
    assert {key: said[key] for key in said if key not in ("user", "group")} == {
        "read-only root": "yes", "privileged": "no", "more rights by exec": "no", "capabilities dropped": "ALL",
        "capabilities added": "NET_BIND_SERVICE",
    }


def test_a_command_is_compared_as_one_line():
    assert facts("services", command=["sh", "-c", "echo $$HOME"])["command"] == "sh -c 'echo $HOME'"
    assert facts("services") == {"runs": "always", "entrypoint": "the image's own", "command": "the image's own"}


def test_what_others_wait_for_until_it_ended_runs_once():
    services = {"init": {"image": "i"}, "web": {"image": "w", "depends_on": {
        "init": {"condition": "service_completed_successfully"}, "db": {"condition": "service_healthy"}}}}
    platform = read(Model({"name": "shop", "services": services}))
    assert platform.workloads["init"].facts["services"]["runs"] == "once"
    assert platform.workloads["web"].facts["order"] == {"init": "completed", "db": "healthy"}

import pytest

from devenv.parity.rendered import read
from devenv.parity.variables import Sources, variables


def deployment(name="web", kind="Deployment", annotations=None, pod=None, **container):
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": name, "image": "reg.example/shop/web:1", **container}], **(pod or {})},
    }
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    return {"kind": kind, "metadata": {"name": name, "annotations": annotations}, "spec": spec}


def service(name="web", port=80, **entry):
    ports = [{"port": port, **entry}]
    return {"kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": ports}}


def facts(category, *objects, name="web"):
    return read(objects).workloads[name].facts[category]


HTTP = [{"name": "http", "containerPort": 8080}]


def test_a_job_runs_once_and_a_deployment_always():
    assert facts("services", deployment(kind="Job"))["runs"] == "once"
    assert facts("services", deployment(kind="CronJob"))["runs"] == "once"
    assert facts("services", deployment(args=["serve", "--fast"])) == {
        "runs": "always", "entrypoint": "the image's own", "command": "serve --fast",
    }


def test_an_image_is_split_into_name_and_version():
    assert facts("images", deployment()) == {"image": "reg.example/shop/web"}
    assert facts("versions", deployment(image="docker.io/library/mongo:8.0")) == {"version": "8.0"}
    assert facts("versions", deployment(image="web")) == {"version": "latest"}


def test_the_container_named_like_the_workload_is_the_one():
    one = deployment(image="right")
    one["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar", "image": "wrong"})
    assert facts("images", one) == {"image": "right"}


@pytest.mark.parametrize(("objects", "said"), [
    ((deployment(ports=HTTP), service(port=8080, targetPort="http")), {"8080": "open"}),
    ((deployment(ports=HTTP), service(port=8080)), {"8080": "open"}),
    ((deployment(ports=HTTP), service(port=80, targetPort="http")),
     {"8080": "open in the pod, not in its Service", "80": "leads to 8080"}),
    ((deployment(ports=HTTP),), {"8080": "no Service leads to it"}),
    ((deployment(ports=HTTP), service() | {"spec": {"selector": {"app": "x"}, "ports": []}}),
     {"8080": "its Service selects other pods"}),
    ((deployment(ports=HTTP), service(port=8080), deployment("job", env=[{"name": "WEB", "value": "web:9000"}])),
     {"8080": "open", "9000": "addressed, but not served"}),
])
def test_a_port_is_open_when_a_service_leads_to_it(objects, said):
    assert facts("ports", *objects) == said


def test_probes_are_spelled_like_a_request_with_the_port_by_number():
    ready = {"httpGet": {"path": "/ready", "port": "http"}}
    alive = {"httpGet": {"path": "/alive", "port": 8080}}
    pod = deployment(ports=HTTP, readinessProbe=ready, livenessProbe=alive, startupProbe=alive)
    assert facts("health", pod) == {"check": "GET /ready on 8080"}
    odd = deployment(ports=HTTP, readinessProbe=ready, startupProbe={"exec": {"command": ["true"]}})
    assert facts("health", odd) == {"check": "GET /ready on 8080, but at the start true"}
    assert facts("health", deployment(readinessProbe={"tcpSocket": {"port": 5}})) == {"check": "TCP on 5"}
    assert facts("health", deployment()) == {}


def test_timing_counts_the_pause_before_the_stop_out_and_the_budget_of_the_start_in():
    pod = deployment(
        pod={"terminationGracePeriodSeconds": 20}, lifecycle={"preStop": {"sleep": {"seconds": 5}}},
        readinessProbe={"periodSeconds": 5, "timeoutSeconds": 2},
        startupProbe={"periodSeconds": 2, "failureThreshold": 30},
    )
    assert facts("timing", pod) == {
        "stop grace": "15 s", "interval": "5 s", "timeout": "1 s and 2 s", "retries": "3", "start period": "60 s",
        "start interval": "2 s",
    }
    assert facts("timing", deployment()) == {"stop grace": "30 s"}


def test_the_order_is_an_annotation_in_composes_words():
    assert facts("order", deployment(annotations={"devenv/needs": "db healthy, init completed, web"})) == {
        "db": "healthy", "init": "completed", "web": "started",
    }


def test_volumes_say_what_lies_where():
    pod = {"volumes": [{"name": "t", "emptyDir": {}}, {"name": "c", "configMap": {"name": "c"}},
                       {"name": "p", "persistentVolumeClaim": {"claimName": "p"}},
                       {"name": "o", "configMap": {"name": "o", "optional": True}}]}
    mounts = [{"name": "t", "mountPath": "/tmp"}, {"name": "c", "mountPath": "/etc/c", "readOnly": True},
              {"name": "p", "mountPath": "/p"}, {"name": "d", "mountPath": "/d"}, {"name": "o", "mountPath": "/o"}]
    one = deployment(kind="StatefulSet", pod=pod, volumeMounts=mounts)
    one["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "d"}}]
    assert facts("volumes", one) == {
        "/tmp": "scratch", "/etc/c": "a file, read-only", "/p": "data", "/d": "data", "/o": "?",
    }


def test_the_container_overrules_the_pod_in_security():
    own = {"runAsUser": 3, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    one = deployment(pod={"securityContext": {"runAsUser": 1, "runAsGroup": 2}}, securityContext=own)
    assert facts("security", one) == {
        "user": "3", "group": "2", "read-only root": "no", "privileged": "no", "more rights by exec": "no",
        "capabilities dropped": "ALL", "capabilities added": "none",
    }


def test_managed_backends_are_named_on_any_object():
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "x", "annotations": {"devenv/managed": "db=16 store"}}}
    assert read([policy]).managed == {"db": "16", "store": "?"}


CONFIG = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"HOST": "db:1", "USER": "me"}}
SECRET = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"PASSWORD": "eA=="}}


def resolve(*objects, **container):
    return variables(container, Sources.of(objects))


def test_variables_are_put_together_as_the_kubelet_does():
    found = resolve(
        CONFIG, SECRET, envFrom=[{"configMapRef": {"name": "c"}}, {"configMapRef": {"name": "c"}, "prefix": "X_"}],
        env=[{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "s", "key": "PASSWORD"}}},
             {"name": "URL", "value": "pg://$(USER):$(PW)@$(HOST)"}, {"name": "RAW", "value": "$$(USER) $(NONE)"},
             {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
             {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "USER"}}}],
    )
    assert found.values == {
        "HOST": "db:1", "USER": "me", "X_HOST": "db:1", "X_USER": "me", "PW": "${PASSWORD}",
        "URL": "pg://me:${PASSWORD}@db:1", "RAW": "$(USER) $(NONE)", "NODE": "of the pod", "ONE": "me",
    }
    assert found.ingredients == {"USER", "PW", "HOST", "NONE"}
    assert found.broken == {}


@pytest.mark.parametrize(("reference", "broken"), [
    ({"name": "other", "key": "PASSWORD"}, {"Secret other": "nothing in the overlay makes it"}),
    ({"name": "s", "key": "PIN"}, {"Secret s": "nothing in the overlay puts PIN into it"}),
    ({"name": "s", "key": "PIN", "optional": True}, {}),
    ({"name": "other", "key": "PIN", "optional": True}, {"Secret other": "nothing in the overlay makes it"}),
])
def test_a_secret_that_nothing_makes_is_broken(reference, broken):
    assert resolve(SECRET, env=[{"name": "PW", "valueFrom": {"secretKeyRef": reference}}]).broken == broken


def test_an_external_secret_makes_a_secret():
    spec = {"target": {"name": "s"}, "data": [{"secretKey": "PASSWORD"}]}
    made = Sources.of([{"kind": "ExternalSecret", "metadata": {"name": "e"}, "spec": spec}]).secrets
    assert made == {"s": {"PASSWORD"}}
    shaped = spec | {"target": {"template": {"data": {"URL": "{{ .PASSWORD }}"}}}}
    assert Sources.of([{"kind": "ExternalSecret", "metadata": {"name": "e"}, "spec": shaped}]).secrets == {"e": {"URL"}}


def test_all_keys_of_a_secret_can_become_variables():
    found = resolve(SECRET, envFrom=[{"secretRef": {"name": "s"}}, {"secretRef": {"name": "gone"}}])
    assert found.values == {"PASSWORD": "${PASSWORD}"}
    assert found.broken == {"Secret gone": "nothing in the overlay makes it"}

import json
from datetime import UTC, datetime

import pytest

from devenv.errors import DevenvError
from devenv.kubernetes import endpoints
from devenv.kubernetes.kubectl import Kubectl
from tests.unit.fakes import FakeRunner

SINCE = "2026-11-25T10:00:00Z"


def service(**spec):
    return {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, **spec}}


def pod(name="web-1", address="10.0.0.1", *, ready="True", label="web", **metadata):
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": SINCE}
    return {"kind": "Pod", "metadata": {"name": name, "labels": {"app": label}, **metadata},
            "status": {"podIP": address, "conditions": [condition]}}


def leads_to(*named, service="web", ready=True):
    return {"kind": "EndpointSlice", "metadata": {"name": "web-x", "labels": {endpoints.SERVICE_LABEL: service}},
            "endpoints": [{"targetRef": {"kind": "Pod", "name": name}, "addresses": [address],
                           "conditions": {"ready": ready}} for name, address in named]}


@pytest.mark.parametrize("items", [
    [service(), pod(), leads_to(("web-1", "10.0.0.1"))],
    [service(), pod(ready="False"), leads_to(("web-1", "10.0.0.1"), ready=False)],
    [service(), pod(), leads_to(("web-1", "fd00::1")), leads_to(("web-1", "10.0.0.1"))],
    [service(publishNotReadyAddresses=True), pod(ready="False"), leads_to(("web-1", "10.0.0.1"))],
    [service(selector=None), pod()],
    [service(), pod(label="other"), {**leads_to(), "endpoints": None}],
    [service(), pod(deletionTimestamp=SINCE), leads_to()],
], ids=["one", "not ready", "two families", "told before ready", "without pods", "another's pods", "going"])
def test_a_service_that_leads_to_its_ready_pods_is_right(items):
    assert list(endpoints.astray(items)) == []


@pytest.mark.parametrize(("items", "said"), [
    ([service(), pod(address="10.0.0.2"), leads_to(("web-1", "10.0.0.1"))], "does not lead to `web-1` at 10.0.0.2"),
    ([service(), pod(), leads_to(("web-1", "10.0.0.1"), service="other")], "does not lead to `web-1`"),
    ([service(), pod(), leads_to(("web-1", "10.0.0.1"), ready=False)], "does not lead to `web-1`"),
    ([service(), pod(ready="False"), leads_to(("web-1", "10.0.0.1"))], "leads to `web-1`, which is not ready"),
    ([service(), leads_to(("gone", "10.0.0.1"))], "leads to `gone`, which is not ready"),
], ids=["old address", "another's", "not ready yet", "not ready any more", "gone"])
def test_a_service_that_leads_elsewhere_is_named(items, said):
    [wrong] = endpoints.astray(items)
    assert wrong.startswith("Service `web`") and said in wrong


def test_what_never_comes_right_is_an_error_with_its_next_move(tmp_path):
    items = json.dumps({"items": [service(), pod(address="10.0.0.2"), leads_to(("web-1", "10.0.0.1"))]})
    with pytest.raises(DevenvError, match="does not lead to `web-1`") as caught:
        endpoints.wait(Kubectl(FakeRunner({"get services": items}), tmp_path, "c", "n"), timeout_s=0)
    assert caught.value.hint == "kubectl --namespace n get endpointslices"


def test_the_youngest_pod_is_the_last_that_became_ready():
    now = datetime(2026, 11, 25, 10, 0, 30, tzinfo=UTC)
    assert endpoints.youngest_s([service(), pod(), pod("web-2", ready="False")], now) == 30
    assert endpoints.youngest_s([], now) == endpoints.PROXY_S

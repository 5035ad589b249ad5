"""The sample admission policies: valid, bound, and off until a namespace asks for them."""

import yaml

from tests.contract.test_manifests import K8S, validate


def test_the_policies_are_valid_and_each_has_a_binding(render):
    text, objects = render("policies")
    done = validate(text)
    assert done.returncode == 0, done.stdout
    policies = {one["metadata"]["name"] for one in objects if one["kind"] == "ValidatingAdmissionPolicy"}
    bound = {one["spec"]["policyName"] for one in objects if one["kind"] == "ValidatingAdmissionPolicyBinding"}
    assert policies == bound == {"devenv-images-by-digest", "devenv-only-released"}


def test_a_policy_is_off_until_a_namespace_has_its_label(render):
    for one in render("policies")[1]:
        if one["kind"] == "ValidatingAdmissionPolicyBinding":
            label = one["metadata"]["name"].replace("devenv-", "devenv/")
            assert one["spec"]["matchResources"] == {"namespaceSelector": {"matchLabels": {label: "true"}}}


def test_no_overlay_has_the_policies_or_asks_for_them():
    for file in sorted((K8S / "overlays").rglob("*.yaml")):
        one = yaml.safe_load(file.read_text())
        labels = one.get("metadata", {}).get("labels", {}) if isinstance(one, dict) else {}
        assert "../policies" not in file.read_text(), file
        assert not {"devenv/images-by-digest", "devenv/only-released"} & labels.keys(), file

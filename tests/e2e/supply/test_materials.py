"""The bill of materials of an image that was built from a lock file and a Debian base."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.e2e.checkout import ROOT, Checkout, copy_of_the_working_tree

SERVICE = "gateway"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = Checkout(copy_of_the_working_tree(tmp_path_factory.mktemp("materials") / "checkout"), 0)
    made.run("build", SERVICE)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def document(checkout):
    return checkout.run("sbom", SERVICE, "--json").stdout


def test_the_document_is_valid_cyclonedx_and_the_same_each_time(checkout, document):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    assert checkout.run("sbom", SERVICE, "--json").stdout == document


def test_it_names_every_locked_package_and_those_of_the_base(document):
    components = json.loads(document)["components"]
    found = {(one["name"].lower().replace("_", "-"), one["version"]) for one in components
             if one["purl"].startswith("pkg:pypi/")}
    lock = (ROOT / "services" / SERVICE / "requirements.lock").read_text()
    locked = re.findall(r"^([\w.-]+)==(\S+)(.*)", lock, re.MULTILINE)
    assert locked
    # A package with a condition, such as another system, need not be there.
    assert {(name, version) for name, version, rest in locked if ";" not in rest} <= found
    debian = {one["name"] for one in components if one["purl"].startswith("pkg:deb/debian/")}
    assert {"libc6", "base-files", "ca-certificates"} <= debian


def test_licences_are_listed_and_what_states_none_says_so(checkout):
    said = checkout.run("sbom", SERVICE).stdout
    assert re.search(r"^pypi +starlette +\S+ +BSD-3-Clause$", said, re.MULTILINE)
    assert re.search(r"^deb +bash .*GPL-3\+", said, re.MULTILINE)
    assert "not stated" in said


def test_an_image_without_records_is_named(checkout, registry):
    done = checkout.run("sbom", f"{registry}/nothing:1", check=False)
    assert done.returncode == 1 and f"{registry}/nothing:1" in done.stderr

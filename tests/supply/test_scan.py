"""Scanning for real: osv-scanner, an image, and databases that the tests write. osv-scanner takes minutes to build."""

import json
from zipfile import ZipFile

import pytest

from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.project import find
from devenv.shell import Runner
from tests.e2e.checkout import docker
from tests.supply.project import devenv

# 9.8 and 5.3, by the calculator of CVSS 3.1.
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
MEDIUM = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
# Nothing listens on this port, so that no test depends on the network that it runs in.
NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}

WAIVER = '[[scan.waivers]]\nid = "CVE-2026-90001"\nreason = "no TLS here"\nuntil = 2999-12-31\n'


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project with one image, of Debian's packages and Python's."""
    ensure_programs(["osv-scanner"], Runner(), Engine(), tmp_path_factory.mktemp("logs"))
    root = tmp_path_factory.mktemp("a shop")
    (root / "Dockerfile").write_text("FROM python:3.13-slim\nCOPY greeting /greeting\n")
    (root / "compose.yaml").write_text("name: shop\nservices:\n  web:\n    build: .\n")
    (root / "greeting").write_text("hello\n")
    devenv(root, "build")
    yield root
    docker("image", "rm", f"{find(root).name}-web", check=False)


@pytest.fixture(scope="module")
def versions(shop):
    """Package -> version, of what is in the image."""
    document = json.loads(devenv(shop, "sbom", "web", "--json").stdout)
    return {one["name"]: one["version"] for one in document["components"]}


def advisory(identity, ecosystem, package, vector, fixed):
    upstream = [identity.removeprefix("DEBIAN-")] if "CVE-" in identity else []
    return {
        "schema_version": "1.7.0", "id": identity, "modified": "2026-11-25T00:00:00Z",
        "published": "2026-11-25T00:00:00Z", "summary": f"{package} does too much", "upstream": upstream,
        "severity": [{"type": "CVSS_V3", "score": vector}],
        "affected": [{"package": {"ecosystem": ecosystem, "name": package}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}],
    }


def databases(folder, *advisories):
    """OSV's databases in the layout in which they are published; returns the variable that leads osv-scanner there."""
    for ecosystem in ("Debian", "PyPI"):
        target = folder / "osv-scalibr" / ecosystem
        target.mkdir(parents=True)
        with ZipFile(target / "all.zip", "w") as archive:
            for one in advisories:
                if one["affected"][0]["package"]["ecosystem"].partition(":")[0] == ecosystem:
                    archive.writestr(f"{one['id']}.json", json.dumps(one))
    return {"OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY": str(folder)}


@pytest.fixture
def known(tmp_path, versions):
    """Databases with two vulnerabilities of this image, and two that it is rid of."""
    openssl, pip = versions["libssl3t64"], versions["pip"]
    return databases(
        tmp_path,
        advisory("DEBIAN-CVE-2026-90001", "Debian:13", "openssl", CRITICAL, f"{openssl}+later"),
        advisory("DEBIAN-CVE-2026-90002", "Debian:13", "openssl", CRITICAL, openssl),
        advisory("DEBIAN-CVE-2026-90003", "Debian:12", "openssl", CRITICAL, f"{openssl}+later"),
        advisory("GHSA-2222-3333-4444", "PyPI", "pip", MEDIUM, f"{pip}.post1"),
    )


def test_a_known_vulnerability_fails_the_scan_and_is_named_with_its_cure(shop, versions, known):
    done = devenv(shop, "scan", "--offline", "--json", check=False, **known, **NOWHERE)
    assert done.returncode == 3, done.stderr
    said = json.loads(done.stdout)
    assert (said["version"], said["kind"], said["passed"]) == (1, "scan", False)
    assert [(one["id"], one["rating"], one["score"], one["fails"]) for one in said["findings"]] == [
        ("CVE-2026-90001", "critical", 9.8, True), ("GHSA-2222-3333-4444", "medium", 5.3, False)]
    openssl = said["findings"][0]
    assert openssl["package"] == "openssl" and openssl["fixed"] == [f"{versions['libssl3t64']}+later"]
    [image] = said["images"]
    assert set(image["packages"]) == {"Debian:13", "PyPI"} and image["packages"]["Debian:13"] > 50
    text = devenv(shop, "scan", "web", "--offline", check=False, **known, **NOWHERE)
    assert text.returncode == 3 and "critical 9.8" in text.stdout and "CVE-2026-90001 " in text.stdout
    assert "1 image: 1 known vulnerability rated high or worse, 1 other (" in text.stderr


def test_a_waiver_lets_it_pass_and_says_so(shop, known):
    settings = shop / "devenv.toml"
    try:
        settings.write_text(WAIVER)
        said = devenv(shop, "scan", "--offline", **known, **NOWHERE).stderr
        assert "waived until 2999-12-31: CVE-2026-90001 of openssl: no TLS here" in said
        settings.write_text(settings.read_text().replace("2999", "2001"))
        late = devenv(shop, "scan", "--offline", check=False, **known, **NOWHERE)
        assert late.returncode == 3 and "ran out on 2001-12-31: no TLS here" in late.stderr
    finally:
        settings.unlink()


def test_an_image_without_known_vulnerabilities_passes(shop, versions, tmp_path):
    mended = databases(tmp_path, advisory("DEBIAN-CVE-2026-90002", "Debian:13", "openssl", CRITICAL,
                                          versions["libssl3t64"]))
    done = devenv(shop, "scan", "--offline", **mended, **NOWHERE)
    assert done.stdout == "" and "1 image: 0 known vulnerabilities" in done.stderr


def test_a_pass_over_nothing_is_none(tmp_path):
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: redis:8\n")
    assert "this project builds no image" in devenv(tmp_path, "scan", check=False).stderr
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    build: .\n")
    assert "`web` has no image yet" in devenv(tmp_path, "scan", check=False).stderr


@pytest.mark.parametrize("words", [("--offline",), ()], ids=["no databases", "no network"])
def test_what_could_not_be_looked_up_is_no_pass(shop, tmp_path, words):
    done = devenv(shop, "scan", *words, check=False, OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY=str(tmp_path), **NOWHERE)
    assert done.returncode == 1 and "could not be scanned" in done.stderr and "supply-chain.md" in done.stderr


def test_half_a_look_up_is_no_verdict_either(shop, versions, tmp_path):
    """One database finds something, the other is missing: osv-scanner's own exit code is then that of a finding."""
    half = databases(tmp_path, advisory("DEBIAN-CVE-2026-90001", "Debian:13", "openssl", CRITICAL,
                                        f"{versions['libssl3t64']}+later"))
    (tmp_path / "osv-scalibr" / "PyPI" / "all.zip").unlink()
    done = devenv(shop, "scan", "--offline", check=False, **half, **NOWHERE)
    assert done.returncode == 1 and "could not be scanned" in done.stderr and done.stdout == ""

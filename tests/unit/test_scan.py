"""What osv-scanner is asked and says, and what the settings make of it."""

import json
import tarfile
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from devenv.config import load_config
from devenv.config.scan import Scan, ScanWaiver
from devenv.errors import CommandError, DevenvError, UsageError
from devenv.supply.materials import Package, packages
from devenv.supply.policy import judge
from devenv.supply.scanner import Finding, Scanned, scan
from tests.unit.fakes import FakeEngine, FakeRunner

TODAY = date(2026, 11, 25)
OPENSSL = "pkg:deb/debian/openssl@3.5.1-1?arch=source&distro=debian-13"
URLLIB3 = "pkg:pypi/urllib3@1.26.4"
PACKAGES = [
    Package("deb", "libssl3t64", "3.5.1-1+b1", "pkg:deb/debian/libssl3t64@3.5.1-1%2Bb1?arch=amd64", (), OPENSSL),
    Package("deb", "openssl", "3.5.1-1", "pkg:deb/debian/openssl@3.5.1-1?arch=amd64", (), OPENSSL),
    Package("pypi", "urllib3", "1.26.4", URLLIB3, (), URLLIB3),
]


def affected(ecosystem, name, *events, kind="ECOSYSTEM"):
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [{"type": kind, "events": list(events)}]}


RESULT = {"results": [{"source": {"path": "/tmp/image.cdx.json", "type": "sbom"}, "packages": [
    {"package": {"name": "openssl", "version": "3.5.1-1", "ecosystem": "Debian:13"},
     "vulnerabilities": [
         {"id": "DEBIAN-CVE-2026-1", "summary": "", "affected": [
             affected("Debian:12", "openssl", {"introduced": "0"}, {"fixed": "3.0.19-1~deb12u1"}),
             affected("Debian:13", "openssl", {"introduced": "0"}, {"fixed": "3.5.1-1+deb13u1"})]},
         {"id": "DEBIAN-CVE-2026-2", "affected": [affected("Debian:13", "openssl", {"introduced": "0"})]},
         {"id": "DSA-6000-1", "summary": "openssl - security update"},
         {"id": "DEBIAN-CVE-2026-3", "affected": [affected("Debian:13", "openssl", {"introduced": "0"})]}],
     "groups": [
         {"ids": ["DEBIAN-CVE-2026-1", "DSA-6000-1"], "max_severity": "7.5",
          "aliases": ["CVE-2026-1", "CVE-2026-5", "DEBIAN-CVE-2026-1", "DSA-6000-1"]},
         {"ids": ["DEBIAN-CVE-2026-2"], "aliases": ["DEBIAN-CVE-2026-2"], "max_severity": "",
          "experimental_analysis": {"DEBIAN-CVE-2026-2": {"called": True, "unimportant": True}}},
         {"ids": ["DEBIAN-CVE-2026-3"], "aliases": ["CVE-2026-3", "DEBIAN-CVE-2026-3"], "max_severity": ""}]},
    {"package": {"name": "urllib3", "version": "1.26.4", "ecosystem": "PyPI"},
     "vulnerabilities": [{"id": "GHSA-aaaa", "summary": "It redirects.", "affected": [
         affected("PyPI", "URLlib3", {"introduced": "0"}, {"fixed": "1.26.5"}),
         affected("PyPI", "urllib3", {"introduced": "0"}, {"fixed": "c0ffee"}, kind="GIT")]}],
     "groups": [{"ids": ["GHSA-aaaa"], "aliases": ["CVE-2026-4", "GHSA-aaaa"], "max_severity": "9.8"}]},
    {"package": {"name": "inhouse", "version": "1"}},
]}]}


class Scanner(FakeRunner):
    """osv-scanner, ending with `status`; remembers the document that it was given."""

    def __init__(self, status, said):
        super().__init__()
        self.status, self.said, self.purls = status, said, []

    def read(self, *argv, **_):
        self.calls.append(" ".join(argv))
        document = json.loads(Path(argv[argv.index("--lockfile") + 1]).read_text())
        self.purls = [one["purl"] for one in document["components"]]
        if self.status:
            raise CommandError(argv, self.status, self.said)
        return self.said


def test_each_package_is_looked_up_once_by_the_name_that_advisories_have():
    scanner = Scanner(0, '{"results": []}')
    assert scan("shop-web", PACKAGES, scanner).findings == ()
    assert scanner.purls == [OPENSSL, URLLIB3]
    assert "--offline" not in scanner.calls[0]
    scan("shop-web", PACKAGES, scanner, offline=True)
    assert "--offline" in scanner.calls[1]


def test_what_is_found_has_its_cve_rating_and_the_version_that_mends_it():
    found = scan("shop-web", PACKAGES, Scanner(1, json.dumps(RESULT)))
    assert found.packages == {"": 1, "Debian:13": 1, "PyPI": 1}
    assert [(one.id, one.rating, one.package, one.fixed) for one in found.findings] == [
        ("CVE-2026-3", "unrated", "openssl", ()), ("CVE-2026-4", "critical", "urllib3", ("1.26.5",)),
        ("DSA-6000-1", "high", "openssl", ("3.5.1-1+deb13u1",))]
    assert found.findings[1].summary == "It redirects." and "GHSA-aaaa" in found.findings[1].names


@pytest.mark.parametrize(("status", "said", "part"), [
    (1, "Error during extraction: no such host", "no such host"), (127, "one\ntwo", "two"), (127, "", "does not say"),
    (127, '{"results": []}', "could not be scanned"),
])
def test_a_look_up_that_failed_is_no_verdict(status, said, part):
    """osv-scanner ends with 1 for what it found, and then does not say that it could not find the rest."""
    with pytest.raises(DevenvError, match=part) as caught:
        scan("shop-web", PACKAGES, Scanner(status, said))
    assert caught.value.exit_code == 1 and "use `--offline`" in caught.value.hint


def finding(**changes):
    return replace(Finding("openssl", "3.5.1-1", "Debian:13", "CVE-2026-1", ("CVE-2026-1", "DEBIAN-CVE-2026-1"), 7.5,
                           ("3.5.1-1+deb13u1",), ""), **changes)


def judged(*findings, complete=True, **settings):
    return judge([Scanned("web", {"Debian:13": 1}, findings)], Scan(**settings), TODAY, complete=complete)


@pytest.mark.parametrize(("settings", "found", "passed"), [
    ({}, {}, False), ({"fail_on": "critical"}, {}, True), ({"fail_on": "critical"}, {"score": 9.0}, False),
    ({}, {"score": 6.9}, True), ({"fail_on": "low"}, {"score": 0.0}, False),
    ({}, {"score": None}, False), ({"fail_on": "critical"}, {"score": None}, True),
    ({}, {"fixed": ()}, False), ({"only_fixed": True}, {"fixed": ()}, True), ({"only_fixed": True}, {}, False),
])
def test_the_settings_say_what_fails(settings, found, passed):
    assert judged(finding(**found), **settings).passed == passed


@pytest.mark.parametrize(("waiver", "passed"), [
    ({}, True), ({"id": "DEBIAN-CVE-2026-1"}, True), ({"package": "openssl"}, True), ({"package": "curl"}, False),
    ({"id": "CVE-2026-9"}, False), ({"until": date(2026, 11, 24)}, False), ({"until": TODAY}, True),
])
def test_a_waiver_counts_for_its_vulnerability_until_its_day_is_over(waiver, passed):
    one = ScanWaiver(**{"id": "CVE-2026-1", "reason": "not reached", "until": date(2027, 1, 31), **waiver})
    report = judged(finding(), waivers=(one,))
    assert report.passed == passed and bool(report.failing) != passed


def test_a_waiver_for_one_cve_does_not_waive_those_that_were_mended_with_it():
    bundle = finding(id="DSA-6000-1", names=("CVE-2026-1", "CVE-2026-2", "DEBIAN-CVE-2026-1", "DSA-6000-1"))
    for name, passed in (("CVE-2026-1", False), ("DEBIAN-CVE-2026-1", False), ("DSA-6000-1", True)):
        assert judged(bundle, waivers=(ScanWaiver(name, "not reached", TODAY),)).passed == passed, name


def test_a_waiver_that_fits_nothing_is_named_and_fails_once_its_day_is_over():
    late, idle = (ScanWaiver("CVE-2026-9", "gone", day) for day in (date(2026, 1, 1), date(2027, 1, 1)))
    report = judged(waivers=(late, idle))
    assert (report.expired, report.idle, report.passed) == ((late,), (idle,), False)
    report = judged(waivers=(late, idle), complete=False)
    assert (report.expired, report.idle, report.passed) == ((), (), True)


def test_mistakes_in_the_settings_are_reported_together(tmp_path):
    (tmp_path / "devenv.toml").write_text(
        '[scan]\nfail_on = "awful"\nonly_fixed = 1\nfail = 2\n[[scan.waivers]]\npackage = 3\nuntil = "2027"\n')
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path / "devenv.toml")
    for part in ("must be one of low, medium, high, critical", "`scan.only_fixed` must be true or false",
                 "unknown key `scan.fail`", "needs an `id`", "needs a `reason`", "needs `until`",
                 "`package` must be a text"):
        assert part in caught.value.message


def test_settings_are_read(tmp_path):
    (tmp_path / "devenv.toml").write_text(
        '[scan]\nonly_fixed = true\n[[scan.waivers]]\nid = "CVE-2026-1"\nreason = "not reached"\nuntil = 2027-01-31\n')
    assert load_config(tmp_path / "devenv.toml").scan == Scan(
        "high", True, (ScanWaiver("CVE-2026-1", "not reached", date(2027, 1, 31)),))


class Exporting(FakeRunner):
    """`docker container export` of an image with these files."""

    def __init__(self, files):
        super().__init__({"container create": "c1\n"})
        self.files = files

    def read(self, *argv, **_):
        if "export" in argv:
            with tarfile.open(argv[argv.index("--output") + 1], "w") as tree:
                for name, text in self.files.items():
                    info = tarfile.TarInfo(name)
                    info.size = len(text.encode())
                    tree.addfile(info, BytesIO(text.encode()))
        return super().read(*argv)


def test_a_debian_package_is_advised_as_its_source_in_the_version_of_the_source():
    record = "Package: {}\nStatus: install ok installed\n{}Version: {}\nArchitecture: amd64\n\n"
    status = "".join(record.format(name, source, version)
                     for name, source, version in (
                         ("openssl", "", "3.5.1-1"), ("libssl3t64", "Source: openssl\n", "3.5.1-1"),
                         ("libc6", "Source: glibc (2.41-12)\n", "2.41-12+b1")))
    engine = FakeEngine()
    engine.images["shop-web"] = {"Id": "sha256:1"}
    found = packages("shop-web", engine, Exporting({
        "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\n', "var/lib/dpkg/status": status}))
    assert {one.name: one.advised_as for one in found} == {
        "libc6": "pkg:deb/debian/glibc@2.41-12?arch=source&distro=debian-13", "libssl3t64": OPENSSL, "openssl": OPENSSL}

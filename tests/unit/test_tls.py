import ssl

from devenv.shell import Runner
from devenv.tls import Authority


def test_an_authority_is_made_once_and_its_certificates_are_for_localhost(tmp_path):
    ours = Authority(Runner(), tmp_path / "ca")
    ours.ensure()
    first = ours.certificate.read_bytes()
    ours.ensure()
    assert ours.certificate.read_bytes() == first
    assert ours.key.stat().st_mode & 0o777 == 0o600
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    ours.issue(certificate, key)
    issued = certificate.read_bytes()
    ours.issue(certificate, key)
    assert certificate.read_bytes() == issued, "a good certificate is kept"
    context = ssl.create_default_context(cafile=str(ours.certificate))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert context.cert_store_stats()["x509_ca"] == 1


def test_a_certificate_of_another_authority_is_replaced(tmp_path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    for name in ("one", "two"):
        ours = Authority(Runner(), tmp_path / name)
        ours.ensure()
        before = certificate.read_bytes() if certificate.exists() else b""
        ours.issue(certificate, key)
        assert certificate.read_bytes() != before

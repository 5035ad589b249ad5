import ssl
from types import SimpleNamespace

import pytest
from servicekit import kafka
from servicekit.settings import KafkaSettings


def settings(**given):
    return KafkaSettings(kafka_bootstrap_servers="kafka:9092", **given)


def test_plaintext_needs_no_more():
    options = kafka.client_options(settings(), "messaging")
    assert options["security_protocol"] == "PLAINTEXT"
    assert not any(name.startswith(("sasl", "ssl")) for name in options)


def test_sasl_over_tls_brings_user_password_and_context():
    given = settings(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_username="caas",
        kafka_password="hunter2",
    )
    options = kafka.client_options(given, "messaging")
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "caas")
    assert options["sasl_plain_password"] == "hunter2"
    assert options["ssl_context"].verify_mode == ssl.CERT_REQUIRED


def test_sasl_alone_has_no_tls():
    assert "ssl_context" not in kafka.client_options(settings(kafka_security_protocol="SASL_PLAINTEXT"), "messaging")


def test_the_request_id_travels_in_a_header():
    record = SimpleNamespace(headers=(("other", b"x"), *kafka.headers("r-1")))
    assert kafka.request_id_of(record) == "r-1"
    assert kafka.request_id_of(SimpleNamespace(headers=())) == ""
    assert kafka.headers("") == []


async def test_a_client_that_was_never_started_is_not_ready():
    with pytest.raises(ConnectionError):
        await kafka.check(None)

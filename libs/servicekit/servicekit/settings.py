"""The environment contract, one class per backend; a service's settings inherit from those that it needs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """The environment lacks a variable or holds an unusable value."""


class Environment(BaseSettings):
    """Reads its fields from the environment; an empty variable counts as absent."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raises `SettingsError` with every problem in it, and no value."""
        try:
            return cls()
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"environment not usable: {problems}. Set these variables and start again.") from None


class MongodbSettings(Environment):
    """MongoDB or what speaks its protocol; TLS is said in the URL."""

    mongodb_url: SecretStr
    mongodb_database: str = "caas"


class KafkaSettings(Environment):
    """Kafka, with SASL and TLS where the cluster wants them; the prefixes isolate tests from each other."""

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ssl_cafile: str | None = None
    kafka_topic_prefix: str = ""
    kafka_group_prefix: str = ""

    def topic(self, name: str) -> str:
        """The topic's name on the cluster."""
        return self.kafka_topic_prefix + name

    def group(self, name: str) -> str:
        """The consumer group's name on the cluster."""
        return self.kafka_group_prefix + name


class RedisSettings(Environment):
    """Redis; a `rediss://` URL means TLS."""

    redis_url: str
    redis_password: SecretStr | None = None
    redis_key_prefix: str = ""


class S3Settings(Environment):
    """S3 or what speaks its protocol; no endpoint means AWS, no keys mean AWS's own credential chain."""

    s3_endpoint_url: str | None = None
    s3_public_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None
    s3_bucket_prefix: str = ""

    def bucket(self, name: str) -> str:
        """The bucket's name in the store."""
        return self.s3_bucket_prefix + name

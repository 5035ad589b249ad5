import pytest
from servicekit.settings import KafkaSettings, MongodbSettings, RedisSettings, S3Settings, SettingsError


class Both(MongodbSettings, KafkaSettings):
    pass


def test_every_missing_variable_is_named_at_once(monkeypatch):
    monkeypatch.delenv("MONGODB_URL", raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    with pytest.raises(SettingsError) as raised:
        Both.load()
    assert "MONGODB_URL: Field required" in str(raised.value)
    assert "KAFKA_BOOTSTRAP_SERVERS: Field required" in str(raised.value)


def test_a_bad_value_is_not_repeated(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "hunter2")
    with pytest.raises(SettingsError) as raised:
        KafkaSettings.load()
    assert "KAFKA_SECURITY_PROTOCOL" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_secrets_do_not_show_in_repr(monkeypatch):
    monkeypatch.setenv("MONGODB_URL", "mongodb://caas:hunter2@mongodb")
    monkeypatch.setenv("REDIS_URL", "redis://redis")
    monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
    assert "hunter2" not in repr(MongodbSettings.load()) + repr(RedisSettings.load())


def test_prefixes_go_before_names(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    for name in ("KAFKA_TOPIC_PREFIX", "KAFKA_GROUP_PREFIX", "S3_BUCKET_PREFIX"):
        monkeypatch.setenv(name, "t7-")
    assert KafkaSettings.load().topic("message.created") == "t7-message.created"
    assert KafkaSettings.load().group("billing") == "t7-billing"
    assert S3Settings.load().bucket("invoices") == "t7-invoices"

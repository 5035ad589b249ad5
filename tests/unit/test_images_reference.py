import pytest

from devenv.images.reference import parse


@pytest.mark.parametrize(("text", "familiar", "pullable"), [
    ("mongo", "mongo", "mongo:latest"),
    ("mongo:8.0", "mongo", "mongo:8.0"),
    ("docker.io/library/mongo:8.0", "mongo", "mongo:8.0"),
    ("apache/kafka:4.1.1", "apache/kafka", "apache/kafka:4.1.1"),
    ("quay.io/minio/minio:R1", "quay.io/minio/minio", "quay.io/minio/minio:R1"),
    ("localhost:5001/a/b", "localhost:5001/a/b", "localhost:5001/a/b:latest"),
    ("redis:8@sha256:ab", "redis", "redis@sha256:ab"),
])
def test_a_name_is_taken_apart_as_docker_does(text, familiar, pullable):
    assert (parse(text).familiar, parse(text).pullable) == (familiar, pullable)

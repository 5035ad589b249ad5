from tests.e2e.registry import registry  # noqa: F401

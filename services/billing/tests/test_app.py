import importlib


def test_it_is_importable_without_any_environment_and_offers_the_contract(monkeypatch):
    monkeypatch.delenv("MONGODB_URL", raising=False)
    app = importlib.import_module("billing.app").app
    paths = {route.path for route in app.routes}
    assert {"/healthz", "/readyz", "/metrics", "/v1/usage", "/v1/invoices", "/v1/invoices/{month}"} <= paths

import json
import logging

import pytest
from servicekit import logs


def line(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_line_is_json_with_the_request_id_and_extras(capsys, monkeypatch):
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    logs.configure("messaging")
    token = logs.request_id.set("r-1")
    logging.getLogger("some.module").info("hello %s", "you", extra={"tenant": "demo"})
    logs.request_id.reset(token)
    written = line(capsys)
    assert written.pop("time").endswith("Z")
    assert written == {
        "level": "info",
        "logger": "some.module",
        "message": "hello you",
        "service": "messaging",
        "request_id": "r-1",
        "tenant": "demo",
    }


def test_an_exception_stays_on_its_line(capsys):
    logs.configure("messaging")
    try:
        raise KeyError("lost")
    except KeyError:
        logging.getLogger("some.module").exception("failed")
    assert "KeyError: 'lost'" in line(capsys)["exception"]


def test_uvicorn_writes_the_same_way_but_for_its_access_log(capsys):
    logging.getLogger("uvicorn.access").handlers = [logging.StreamHandler()]
    logs.configure("messaging")
    logging.getLogger("uvicorn.access").info("not this")
    logging.getLogger("uvicorn.error").info("Started")
    written = capsys.readouterr()
    assert [json.loads(each)["message"] for each in written.out.splitlines()] == ["Started"]
    assert written.err == ""


def test_an_unknown_level_is_refused(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ValueError, match="LOG_LEVEL 'LOUD'"):
        logs.configure("messaging")

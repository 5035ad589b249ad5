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


def test_a_client_says_the_same_once_in_a_while(capsys):
    logs.configure("messaging")
    for attempt in range(5):
        logging.getLogger("aiokafka.conn").error("no connection to %s", attempt)
        logging.getLogger("messaging.relay").error("no connection to %s", attempt)
    logging.getLogger("aiokafka.conn").error("something else")
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    said = [each["message"] for each in lines if each["logger"] == "aiokafka.conn"]
    assert said == ["no connection to 0", "something else"]
    assert len(lines) == 7


def test_a_client_says_it_again_later():
    repetitions = logs.Repetitions(quiet_s=10)
    record = logging.makeLogRecord({"name": "aiokafka", "msg": "no connection"})
    written = []
    for seconds in (0, 9, 11):
        record.created = 1000.0 + seconds
        written.append(repetitions.filter(record))
    assert written == [True, False, True]

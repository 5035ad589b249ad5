import hashlib

from servicekit import seed


class Keys:
    """The two operations on `api_keys`, kept in a dict."""

    def __init__(self):
        self.documents = {}

    def replace_one(self, wanted, document, upsert):
        assert upsert
        self.documents[wanted["_id"]] = document

    def delete_many(self, wanted):
        kept = wanted["_id"]["$ne"]
        self.documents = {name: each for name, each in self.documents.items() if name == kept}


def test_the_demo_key_is_stored_hashed_and_replaces_the_earlier_one():
    keys = Keys()
    seed.put_key({"api_keys": keys}, "first", 60)
    seed.put_key({"api_keys": keys}, "second", 60)
    ((name, document),) = keys.documents.items()
    assert name == hashlib.sha256(b"second").hexdigest()
    assert (document["tenant_id"], document["rate_per_minute"], document["revoked_at"]) == ("demo", 60, None)
    assert "second" not in str(document)


def test_without_settings_it_says_which_are_missing_and_prints_no_key(capsys, monkeypatch):
    monkeypatch.delenv("MESSAGING_URL", raising=False)
    assert seed.main() == 2
    written = capsys.readouterr()
    assert "MESSAGING_URL" in written.err
    assert written.out == ""

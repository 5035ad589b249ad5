"""What an error must look like."""


def assert_problem(answer, status, words=""):
    """The answer is a problem of this status whose detail holds `words`; its body."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    assert words in body["detail"]
    return body

from devenv.images.dockerfile import base_images, last_stage, read_stages

TEXT = """
# comment
ARG PYTHON=python:3.13-slim
FROM ${PYTHON} AS base
WORKDIR /app
FROM golang:1.26 AS tools
RUN --mount=type=cache,target=/root --mount=type=bind,from=alpine:3,target=/x \\
    # a comment inside
    go build
FROM base AS dev
COPY . /dev
FROM base
COPY --from=tools /out /usr/local/bin/
COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/
RUN <<EOT
FROM nothing
EOT
COPY src/ ./
"""


def test_only_what_the_last_stage_needs_is_wanted():
    wanted = ["python:3.13-slim", "golang:1.26", "alpine:3", "ghcr.io/astral-sh/uv:0.9"]
    assert base_images(TEXT, {}) == wanted


def test_a_target_needs_less():
    assert base_images(TEXT, {}, "dev") == ["python:3.13-slim"]


def test_build_arguments_win_over_defaults():
    assert base_images(TEXT, {"PYTHON": "other:1"}, "dev") == ["other:1"]


def test_a_here_document_is_not_read_as_instructions():
    assert len(read_stages(TEXT)) == 4


def test_the_last_stage_includes_what_it_starts_from():
    assert [one.keyword for one in last_stage(TEXT)] == ["WORKDIR", "COPY", "COPY", "RUN", "COPY"]
    assert [one.rest for one in last_stage(TEXT, "dev")] == ["/app", ". /dev"]


def test_stages_by_number_and_scratch_are_no_images():
    assert base_images("FROM scratch\nCOPY a b\n", {}) == []
    assert base_images("FROM a:1\nFROM scratch\nCOPY --from=0 /a /b\n", {}) == ["a:1"]


def test_defaults_in_braces_are_filled_in():
    assert base_images("ARG V\nFROM a:${V:-3}${V:+x}\n", {}) == ["a:3"]

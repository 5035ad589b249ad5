"""The part of GitHub's expressions that our workflows use; anything else is an error, never an empty text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<operator>==|!=|&&|\|\||[!()])|(?P<name>[\w.-]+))")


def substitute(text: str, context: Mapping[str, Any]) -> str:
    """Replace every `${{ ... }}` as GitHub does before a step starts."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: _shown(evaluate(match[1], context)), text)


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression; raises ValueError for what is not understood."""
    expression = expression.strip()
    if expression.startswith("${{"):
        expression = expression.removeprefix("${{").removesuffix("}}")
    tokens, at = [], 0
    while expression[at:].strip():
        match = _TOKEN.match(expression, at)
        if match is None:
            raise ValueError(f"cannot read the expression `{expression}` at `{expression[at:]}`")
        tokens.append((match.lastgroup, match[match.lastgroup or 0]))
        at = match.end()
    value, rest = _or(tokens, context)
    if rest:
        raise ValueError(f"cannot read the expression `{expression}`: `{rest[0][1]}` is left over")
    return value


def _or(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    left, tokens = _and(tokens, context)
    while tokens and tokens[0][1] == "||":
        right, tokens = _and(tokens[1:], context)
        left = left or right
    return left, tokens


def _and(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    left, tokens = _compare(tokens, context)
    while tokens and tokens[0][1] == "&&":
        right, tokens = _compare(tokens[1:], context)
        left = left and right
    return left, tokens


def _compare(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    left, tokens = _value(tokens, context)
    if tokens and tokens[0][1] in ("==", "!="):
        right, rest = _value(tokens[1:], context)
        return (left == right) == (tokens[0][1] == "=="), rest
    return left, tokens


def _value(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    (kind, word), rest = tokens[0], tokens[1:]
    if word == "!":
        value, rest = _value(rest, context)
        return not value, rest
    if word == "(":
        value, rest = _or(rest, context)
        return value, rest[1:]
    if kind == "text":
        return word[1:-1].replace("''", "'"), rest
    if kind == "name" and [token[1] for token in rest[:2]] == ["(", ")"]:
        if word not in context["functions"]:
            raise ValueError(f"the function `{word}()` is not known here")
        return context["functions"][word], rest[2:]
    if word in ("true", "false"):
        return word == "true", rest
    if kind == "name":
        return _look_up(word, context), rest
    raise ValueError(f"`{word}` does not belong here")


def _look_up(name: str, context: Mapping[str, Any]) -> Any:
    found: Any = context
    for part in name.split("."):
        # An output that no step has set is empty at GitHub too; a name outside of these contexts is our mistake.
        if part not in found and name.split(".")[0] in ("steps", "needs"):
            return ""
        if part not in found:
            raise ValueError(f"`{name}` has no value here: give it to the run")
        found = found[part]
    return found


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

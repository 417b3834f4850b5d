"""Keeps the secrets of sources out of answers: option values by the name of their key, and parts of URLs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from harvester.errors import UsageError
from harvester.notices.notify import masked

HIDDEN = "(hidden)"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = re.compile(
    r"keys?|apikeys?|.*token.*|.*secret.*|passw.*|passphrase|pwd|pass|auth.*|.*credential.*|.*cookie.*|bearer"
    r"|session|signature|sig|certificate|pin"
)
# Whatever a header is called, its value may open a door.
_HOLDERS = frozenset(("headers", "header", "params"))


def secret(name: str) -> bool:
    """Whether an option of this name holds a secret: one of its words says so (`apiKey`, `X-Auth-Token`)."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return any(_SECRET.fullmatch(word) for word in [*words, "".join(words)] if word != "author")


def hidden(value: Any, inside: bool = False) -> Any:
    """The options without the values of secrets, however nested; `inside` a holder every text is one."""
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if secret(str(key)) and inner else hidden(inner, inside or str(key).lower() in _HOLDERS)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [hidden(inner, inside) for inner in value]
    if isinstance(value, str) and value:
        return HIDDEN if inside else hidden_url(value) if "://" in value else value
    return value


def restored(given: Any, saved: Any) -> Any:
    """What `hidden` showed of `saved` and is sent back, maybe changed elsewhere, with the secrets that were saved."""
    return _restored(given, hidden(saved), saved)


def _restored(given: Any, shown: Any, saved: Any) -> Any:
    if isinstance(given, Mapping) and isinstance(saved, Mapping):
        return {key: _restored(value, shown.get(key), saved.get(key)) for key, value in given.items()}
    if isinstance(given, list) and isinstance(saved, list) and len(given) == len(saved):
        return [_restored(*three) for three in zip(given, shown, saved, strict=True)]
    return saved if given == shown and saved is not None else given


def hidden_url(url: str) -> str:
    """The URL without user and password, and without the values of secret parameters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = parts.query
    if any(secret(name) for name, _ in pairs):
        query = urlencode([(name, HIDDEN if secret(name) else value) for name, value in pairs])
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))


def hidden_rules(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rules for notices without what is secret in the addresses of webhooks."""
    return [{**rule, "to": masked(rule["channel"], rule["to"])} for rule in rules]


def restored_rules(given: Sequence[Any], saved: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Rules that are sent back as `hidden_rules` showed them, with the addresses that were saved.

    Each takes the one in its own place, or else the last that looks alike.  Raises `UsageError` where none does.
    """
    known = {masked(rule["channel"], rule["to"]): rule["to"] for rule in saved}
    places = [masked(rule["channel"], rule["to"]) for rule in saved]
    found: list[Any] = []
    for place, rule in enumerate(given):
        to = rule.get("to") if isinstance(rule, Mapping) else None
        if isinstance(to, str) and to.endswith("/***"):
            if to not in known:
                raise UsageError("notify: give the whole address of the webhook", code="bad-notify", field="notify")
            same = place < len(places) and places[place] == to
            rule = {**rule, "to": saved[place]["to"] if same else known[to]}
        found.append(rule)
    return found

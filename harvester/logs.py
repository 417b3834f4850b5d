"""The log of services: one line an event, as logfmt or JSON, with `source=` and `run=` on every line of a run."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from harvester.settings import Settings

# What every line carries while a run goes on: threads take it over with a copy of the context.
_ABOUT: ContextVar[Mapping[str, object]] = ContextVar("about", default={})  # noqa: B039  (never changed in place)
HIDDEN = "(hidden)"
# A net under code that should not log these at all.
_SECRETS = (
    (re.compile(r"\bhvt_[\w-]{8,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(r"(?i)([?&\s\"'](?:[\w-]*(?:api_?key|token|secret|passw(?:or)?d|signature))=)[^&\s\"']+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(://)[^/\s:@\"']+:[^/\s@\"']+@"), rf"\1{HIDDEN}@"),
)
# The places of arguments in a message, some of them named: `run ended source=%s run=%s`.
_PLACE = re.compile(r"(?: ?\b([a-z_]+)=)?%(?:\.\d)?[a-z%]")
_PLAIN = re.compile(r"[^\s\"=\\]+")
# Lines of the access log carry what was asked as arguments.
_ACCESS = ("client", "method", "path", "http", "status")


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """Within the block, every line of this thread and of those that take its context over carries these facts."""
    token = _ABOUT.set({**_ABOUT.get(), **facts})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def masked(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class About(logging.Filter):
    """Notes on each record what it is about, while its own context is at hand."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.about = dict(_ABOUT.get())
        return True


class Line(logging.Formatter):
    """One event, one line: whatever a portal wrote, nothing in it begins another."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._write = _json if form == "json" else _logfmt

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **getattr(record, "about", {}),
        }
        if record.name == "uvicorn.access" and isinstance(record.args, tuple) and len(record.args) == len(_ACCESS):
            facts |= dict(zip(_ACCESS, record.args, strict=True))
        else:
            named, words = _parted(record)
            facts = {**facts, **{name: value for name, value in named.items() if name not in facts}, "msg": words}
        if record.exc_info:
            facts["trace"] = self.formatException(record.exc_info)
        return masked(self._write(facts))


def install(settings: Settings, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write the log of this process so, on standard error; the server's own lines too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Line(settings.log_format))
    handler.addFilter(About())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Each request to a portal would be told twice, with its address in full.
    for name in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _parted(record: logging.LogRecord) -> tuple[dict[str, object], str]:
    """The arguments that the message names, and the message without them; all of it where they cannot be told apart."""
    places = list(_PLACE.finditer(record.msg)) if isinstance(record.msg, str) else []
    arguments = record.args if isinstance(record.args, tuple) else ()
    if len(places) != len(arguments) or any(place[0].endswith("%") for place in places):
        return {}, record.getMessage()
    pairs = list(zip(places, arguments, strict=True))
    named = {place[1]: value for place, value in pairs if place[1]}
    rest = _PLACE.sub(lambda place: "" if place[1] else place[0], record.msg)
    return named, rest % tuple(value for place, value in pairs if not place[1]) if pairs else record.getMessage()


def _logfmt(facts: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in facts.items())


def _quoted(value: object) -> str:
    text = str(value)
    printable = text.isprintable()
    return text if printable and _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not printable)


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)

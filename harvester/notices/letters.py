"""What a notice says: the same facts as a letter for people and as JSON for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harvester.codes import explained

# A digest names every source, but tells only so many at length.
TOLD = 25
NAMED = 20
_LINE = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_TITLES = {"failure": "failed", "held": "held", "recovery": "recovered", "ended": "ended", "test": "tested"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One notice: what happened to one source in one run; `gone` are the first of `gone_total` that would go."""

    event: str
    source: str
    title: str
    url: str
    run: Mapping[str, Any]
    failing_since: datetime | None
    link: str
    problems: Sequence[Mapping[str, Any]] = ()
    gone: Sequence[tuple[str, str | None]] = ()
    gone_total: int = 0


def subject(catalogue: str, facts: Sequence[Fact]) -> str:
    """The subject line, safe as a header."""
    if len(facts) == 1:
        fact = facts[0]
        code = f" ({fact.run['code']})" if fact.run.get("code") else ""
        return plain(f"[{catalogue}] {fact.source} {_TITLES[fact.event]}{code}", 200)
    counts = Counter(_TITLES[fact.event] for fact in facts)
    return plain(f"[{catalogue}] " + ", ".join(f"{count} {event}" for event, count in counts.items()), 200)


def text(facts: Sequence[Fact]) -> str:
    """The letter."""
    parts = ["\n".join(_paragraph(fact)) for fact in facts[:TOLD]]
    if rest := facts[TOLD:]:
        lines = (plain(f"- {f.source} {_TITLES[f.event]}: {f.run.get('code') or ''} {f.link}") for f in rest)
        parts.append("\n".join([f"And {len(rest)} more:", *lines]))
    return "\n\n".join(parts) + "\n"


def document(catalogue: str, facts: Sequence[Fact], now: datetime) -> dict[str, Any]:
    """The same as JSON."""
    return {"catalogue": catalogue, "sent_at": _moment(now), "notices": [_entry(fact) for fact in facts]}


def plain(value: object, most: int = _LINE) -> str:
    """One line of text without control characters, whatever a portal wrote."""
    line = _CONTROL.sub(" ", str(value)).encode("utf-8", "replace").decode().strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _paragraph(fact: Fact) -> Iterator[str]:
    run = fact.run
    yield plain(f"{fact.source} ({fact.title}): {_TITLES[fact.event]}")
    if run.get("id"):
        yield plain(f"Run {run['id']}, {run['mode']}, {run['status']}. {_counters(run)}")
    if run.get("message"):
        yield plain(f"{run.get('code') or ''}: {run['message']}".removeprefix(": "))
    if found := explained(run.get("code")):
        yield f"What it means: {found.meaning}"
        yield from () if run.get("decided_by") else (f"What to do: {found.remedy}",)
    if run.get("decided_by"):
        yield plain(f"What to do: nothing, it was decided by {run['decided_by']}.")
    if fact.event == "failure" and fact.failing_since:
        yield f"Failing since {_moment(fact.failing_since)}."
    if fact.gone_total:
        yield f"{fact.gone_total} records would go:"
        yield from (plain(f"- {title or 'untitled'} ({guid})") for guid, title in fact.gone[:NAMED])
        if fact.gone_total > NAMED:
            yield f"- and {fact.gone_total - NAMED} more"
    yield from (plain(f"- {_problem(found)}") for found in fact.problems)
    yield f"See {fact.link}"


def _counters(run: Mapping[str, Any]) -> str:
    names = ("advertised", "fetched", "created", "updated", "unchanged", "restored", "retired", "failed")
    return ", ".join(f"{name} {run[name]}" for name in names if run.get(name))


def _problem(found: Mapping[str, Any]) -> str:
    about = ", ".join(f"{name} {found[name]}" for name in ("guid", "field", "value", "url") if found.get(name))
    return f"{found['code']}: {found['message']}" + (f" ({about})" if about else "")


def _entry(fact: Fact) -> dict[str, Any]:
    found = explained(fact.run.get("code"))
    return {
        "event": fact.event,
        "source": {"name": fact.source, "title": fact.title, "url": fact.url},
        "run": {name: _moment(value) if isinstance(value, datetime) else value for name, value in fact.run.items()},
        "failing_since": _moment(fact.failing_since) if fact.failing_since else None,
        "meaning": found.meaning if found else None,
        "help": found.remedy if found and not fact.run.get("decided_by") else None,
        "problems": [dict(problem) for problem in fact.problems],
        "would_go": [{"guid": guid, "title": title} for guid, title in fact.gone[:NAMED]],
        "would_go_total": fact.gone_total,
        "url": fact.link,
    }


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"

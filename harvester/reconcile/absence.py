"""Why records of the source did not arrive: what is said of each first, then what the missing ones have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from harvester.reconcile import contrast
from harvester.reconcile.contrast import Tally
from harvester.reconcile.dates import later, span, span_at
from harvester.reconcile.ground import Ground

_ESSENTIAL = ("title", "description", "distribution", "licence")
# Fewer distributions, or smaller records, are no burden for any portal.
_LEAST_MEASURE = {"distributions": 10, "size": 50_000}
_OPEN = "o.live AND o.readable AND o.reason IS NULL AND o.id NOT IN (SELECT s FROM pairs)"
_ARRIVED = "o.id IN (SELECT p.s FROM pairs p JOIN theirs t ON t.id = p.t WHERE t.live AND t.readable)"


class _Found(NamedTuple):
    kind: str
    value: str
    shown: str
    tally: Tally


def explain(ground: Ground, looked_at: datetime | None, acted_at: datetime | None = None) -> None:
    """Give every record of the source without a partner its likeliest reason.

    `looked_at` is the target's last look, `acted_at` the last time that it wrote what came from the source.
    """
    _stated(ground, looked_at)
    _listed_twice(ground)
    for field in contrast.LACKING:
        _lacking(ground, field)
    for what in contrast.COUNTED:
        _beyond(ground, what)
    _filtered(ground)
    _untouched(ground, acted_at)
    _elsewhere(ground)
    ground.run(f"UPDATE ours AS o SET reason = 'unknown', told = '' WHERE {_OPEN}")


def reason(ground: Ground, ids: list[int]) -> dict[int, tuple[str, str]]:
    """id -> the reason of a missing record, and what it rests on."""
    marks = ", ".join("?" * len(ids))
    rows = ground.rows(f"SELECT id, reason, told FROM ours WHERE id IN ({marks})", ids)
    return {number: (found or "unknown", told or "") for number, found, told in rows}


def _stated(ground: Ground, looked_at: datetime | None) -> None:
    """What the record itself tells: it could not be read, is not public, or is too new."""
    ground.run("UPDATE ours SET reason = 'unreadable-source', told = '' WHERE live AND NOT readable")
    _kept_apart(ground)
    hidden = "UPDATE ours SET reason = 'private', told = hidden WHERE live AND reason IS NULL AND hidden IS NOT NULL"
    ground.run(f"{hidden} AND id NOT IN (SELECT s FROM pairs)")
    last = span_at(looked_at)
    if last is None:
        return
    rows = ground.rows(f"SELECT o.id, o.published FROM ours o WHERE {_OPEN} AND o.published IS NOT NULL")
    for number, published in rows:
        if later(span(published), last):
            told = f"published {published}, the target looked last at {last.stated}"
            ground.run("UPDATE ours SET reason = 'newer', told = ? WHERE id = ?", (told, number))


def _kept_apart(ground: Ground) -> None:
    """What the target seems to hold, had people not decided that it is another dataset."""
    statement = (
        "SELECT a.s, max(a.decision), min(t.title) FROM apart a JOIN theirs t ON t.id = a.t JOIN ours o ON o.id = a.s "
        f"WHERE {_OPEN} AND t.live GROUP BY a.s"
    )
    for number, decision, title in ground.rows(statement):
        told = f"{title!r} there is another dataset (decision {decision})"
        ground.run("UPDATE ours SET reason = 'apart', told = ? WHERE id = ?", (told, number))


def _listed_twice(ground: Ground) -> None:
    statement = (
        "SELECT o.id, min(other.guid) FROM ours o JOIN edges e ON e.s = o.id JOIN pairs p ON p.t = e.t "
        f"JOIN ours other ON other.id = p.s WHERE {_OPEN} AND e.rule <> 'probable' AND other.live GROUP BY o.id"
    )
    for number, guid in ground.rows(statement):
        told = f"the target holds it as the source's {guid}"
        ground.run("UPDATE ours SET reason = 'listed-twice', told = ? WHERE id = ?", (told, number))


def _sizes(ground: Ground) -> tuple[int, int]:
    """How many records arrived, and how many are missing without a reason so far."""
    count = f"SELECT (SELECT count(*) FROM ours o WHERE {_ARRIVED}), (SELECT count(*) FROM ours o WHERE {_OPEN})"
    arrived, missing = next(ground.rows(count))
    return int(arrived), int(missing)


def _lacking(ground: Ground, field: str) -> None:
    arrived, missing = _sizes(ground)
    for found in _tallies(ground, "lacks", field):
        total = arrived + missing
        sure = contrast.explains(found.tally, missing, total, len(contrast.LACKING))
        if sure or (field in _ESSENTIAL and contrast.refused(found.tally, missing, total)):
            _give(ground, found, "lacks-field", contrast.told_lacking(field, found.tally, arrived))


def _beyond(ground: Ground, what: str) -> None:
    arrived, missing = _sizes(ground)
    (most,) = next(ground.rows(f"SELECT max(o.{what}) FROM ours o WHERE {_ARRIVED}"))
    if most is None:
        return
    least = max(most, _LEAST_MEASURE[what] - 1)
    rows = list(ground.rows(f"SELECT o.id, o.{what} FROM ours o WHERE {_OPEN} AND o.{what} > ?", (least,)))
    if contrast.refused(Tally(0, len(rows)), missing, arrived + missing):
        for number, value in rows:
            told = contrast.told_beyond(what, value, most, len(rows))
            ground.run("UPDATE ours SET reason = ?, told = ? WHERE id = ?", (contrast.COUNTED[what], told, number))


def _filtered(ground: Ground) -> None:
    """The filter that leaves out most comes first; one that takes in only some things explains what is left."""
    arrived, missing = _sizes(ground)
    found = [one for one in _tallies(ground) if one.kind in contrast.FILTERED]
    sure = [one for one in found if contrast.explains(one.tally, missing, arrived + missing, len(found))]
    taken_in = sorted(_taken_in(ground, arrived, missing), key=lambda one: -one.tally.missing)
    rank = {kind: place for place, kind in enumerate(contrast.FILTERED)}
    sure.sort(key=lambda one: (-one.tally.missing, rank[one.kind], one.value))
    if taken_in and taken_in[0].tally.missing > (sure[0].tally.missing if sure else 0):
        _leave_out(ground, taken_in[0], arrived)
    for one in sure:
        _give(ground, one, "filtered", contrast.told(one.kind, one.shown, one.tally, arrived))


def _taken_in(ground: Ground, arrived: int, missing: int) -> Iterator[_Found]:
    """What every record has that arrived, and many of the missing ones have not."""
    if arrived < contrast.LEAST_ARRIVED:
        return
    statement = (
        f"SELECT r.kind, r.value, min(r.shown), sum({_ARRIVED}) AS arrived, sum({_OPEN}) AS missing "
        "FROM traits r JOIN ours o ON o.id = r.id WHERE r.kind <> 'lacks' AND r.value <> '' "
        "GROUP BY r.kind, r.value HAVING arrived = ?"
    )
    for kind, value, shown, _, having in ground.rows(statement, (arrived,)):
        tally = Tally(0, missing - having)
        if contrast.explains(tally, missing, arrived + missing, len(contrast.FILTERED)):
            yield _Found(kind, value, shown, tally)


def _leave_out(ground: Ground, found: _Found, arrived: int) -> None:
    shown = f"{found.kind} {found.shown!r}"
    told = f"all {arrived} records that arrived have {shown}; none of the {found.tally.missing} others arrived"
    ground.run(
        "UPDATE ours SET reason = 'filtered', told = ? WHERE id IN "
        f"(SELECT o.id FROM ours o WHERE {_OPEN} AND o.id NOT IN (SELECT id FROM traits WHERE kind = ? AND value = ?))",
        (told, found.kind, found.value),
    )


def _tallies(ground: Ground, kind: str | None = None, value: str | None = None) -> list[_Found]:
    """The traits that no record has that arrived, with how many missing ones have them."""
    where, values = ("AND r.kind = ? AND r.value = ?", (kind, value)) if kind else ("AND r.kind <> 'lacks'", ())
    statement = (
        f"SELECT r.kind, r.value, min(r.shown), sum({_ARRIVED}) AS arrived, sum({_OPEN}) AS missing "
        f"FROM traits r JOIN ours o ON o.id = r.id WHERE 1 {where} "
        "GROUP BY r.kind, r.value HAVING arrived = 0 AND missing > 0"
    )
    return [_Found(k, v, shown, Tally(a, m)) for k, v, shown, a, m in ground.rows(statement, values)]


def _give(ground: Ground, found: _Found, code: str, told: str) -> None:
    ground.run(
        "UPDATE ours SET reason = ?, told = ? WHERE id IN "
        f"(SELECT o.id FROM ours o JOIN traits r ON r.id = o.id WHERE {_OPEN} AND r.kind = ? AND r.value = ?)",
        (code, told, found.kind, found.value),
    )


def _untouched(ground: Ground, acted_at: datetime | None) -> None:
    """Newer than all that the target has written of the source: where it does not tell when it looked, that tells."""
    last = span_at(acted_at)
    if last is None:
        return
    arrived, missing = _sizes(ground)
    late = {True: dict[int, str](), False: dict[int, str]()}
    statement = (
        f"SELECT o.id, o.published, {_ARRIVED} FROM ours o WHERE o.published IS NOT NULL AND ({_OPEN} OR {_ARRIVED})"
    )
    for number, published, came in ground.rows(statement):
        if later(span(published), last):
            late[bool(came)][number] = published
    if contrast.refused(Tally(len(late[True]), len(late[False])), missing, arrived + missing):
        for number, published in late[False].items():
            told = f"published {published}, the target has written nothing of the source since {last.stated}"
            ground.run("UPDATE ours SET reason = 'newer', told = ? WHERE id = ?", (told, number))


def _elsewhere(ground: Ground) -> None:
    """A title that one record of each side alone has, where the target's is no pair of any other."""
    lone = "SELECT key FROM {} WHERE kind = 'said-title' GROUP BY key HAVING count(*) = 1"
    statement = (
        "SELECT o.id, t.title, t.origins FROM ours o JOIN our_keys k ON k.id = o.id AND k.kind = 'said-title' "
        "JOIN their_keys h ON h.key = k.key AND h.kind = 'said-title' JOIN theirs t ON t.id = h.id "
        f"WHERE {_OPEN} AND t.live AND k.key IN ({lone.format('our_keys')}) AND k.key IN ({lone.format('their_keys')}) "
        "AND t.id NOT IN (SELECT t FROM pairs) AND t.id NOT IN (SELECT t FROM copies)"
    )
    for number, title, origins in ground.rows(statement):
        told = f"{title!r} is there" + (f", from {origins}" if origins else ", without a word of the source")
        ground.run("UPDATE ours SET reason = 'elsewhere', told = ? WHERE id = ?", (told, number))

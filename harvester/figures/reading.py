"""Reads key figures: the request is checked, every figure is told from the numbers that are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from heapq import nlargest
from typing import Any

from sqlalchemy import Connection, select

from harvester import sources, spaces
from harvester.catalogue import originals, queries
from harvester.catalogue.following import standing
from harvester.catalogue.tables import figure_marks, figure_months, figure_promises, figure_values
from harvester.catalogue.tables import sources as source_table
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.figures import numbers
from harvester.figures.counting import BEGUN, FOLLOWER
from harvester.figures.freshness import CODES, EPOCH, Promise, allowed
from harvester.figures.lives import ALL
from harvester.figures.numbers import Held, Kept, Numbers, Space
from harvester.figures.report import Asked, By, Freshness, Late, Month, Promised, Report, Value
from harvester.figures.sums import KINDS
from harvester.figures.synchronising import YearMonth, named, synchronisations
from harvester.figures.synchronising import months as months_between
from harvester.figures.table import BY_CODE, BY_NAME, DATASETS, DIMENSIONS, DISTRIBUTIONS, ORIGINAL, Dimension
from harvester.search import Index, Scope

CHUNK = 500
WORST = 20
MOST_MONTHS = 1_200
_WHOLE = 1 << 31


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of the catalogue that is asked for; `numbers` is None where nobody knows them."""

    connection: Connection
    asked: Asked
    scope: int
    today: date
    at: date
    numbers: Numbers | None
    space: Space | None

    @property
    def past(self) -> bool:
        """Whether a day is asked for that is over."""
        return self.at < self.today


def report(connection: Connection, index: Index, asked: Asked, now: datetime) -> Report:
    """Every key figure of a part of the catalogue.

    Raises `UsageError` for a source or space there is not, a day that is to come, and the past of a space.
    """
    begun = connection.execute(select(figure_marks.c.at).where(figure_marks.c.name == BEGUN)).scalar_one_or_none()
    part = _part(connection, index, asked, now, begun)
    since, until = span(asked, part.at)
    by = None if part.numbers is None else _by(connection, part.numbers, asked)
    return Report(
        source=asked.source,
        space=asked.space,
        at=part.at,
        since=named(since),
        until=named(until),
        counted_from=begun,
        behind=standing(connection, FOLLOWER).behind,
        original_share=_original(part),
        by=by,
        growth=_growth(part, since, until),
        synchronisations=synchronisations(connection, since, until, _sources(part)),
        freshness=None if part.numbers is None else _freshness(part, part.numbers),
        **_counts(part, by),
    )


def values(connection: Connection, index: Index, asked: Asked, dimension: str, now: datetime) -> list[Value]:
    """Every value of one dimension, the most frequent first; none where nobody knows.  Raises `UsageError`."""
    item = known(dimension)
    begun = connection.execute(select(figure_marks.c.at).where(figure_marks.c.name == BEGUN)).scalar_one_or_none()
    part = _part(connection, index, asked, now, begun)
    if part.numbers is None:
        return []
    return _values(connection, part.numbers, item, _WHOLE, asked.language)


def known(name: str) -> Dimension:
    """The dimension of that name.  Raises `UsageError` when there is none."""
    if name not in BY_NAME:
        message = f"there is no dimension {name[:100]!r}; there are {', '.join(BY_NAME)}"
        raise UsageError(message, code="bad-parameter", field="dimension")
    return BY_NAME[name]


def span(asked: Asked, at: date) -> tuple[YearMonth, YearMonth]:
    """The first and the last month asked for; a year, when nothing is said.  Raises `UsageError`."""
    until = asked.until or (at.year, at.month)
    before = (until[0] - 1, until[1] + 1) if until[1] < 12 else (until[0], 1)
    since = asked.since or max(before, (1, 1))
    if since > until:
        raise UsageError("`since` comes after `until`", code="bad-parameter", field="since")
    if (until[0] - since[0]) * 12 + until[1] - since[1] >= MOST_MONTHS:
        raise UsageError("`since` and `until` are more than a hundred years apart", code="bad-parameter", field="since")
    return since, until


def _part(connection: Connection, index: Index, asked: Asked, now: datetime, begun: datetime | None) -> _Part:
    today = now.date()
    at = asked.at or today
    if at > today:
        raise UsageError("`at` is a day that is to come", code="bad-parameter", field="at")
    row = sources.named(connection, asked.source) if asked.source else None
    scope = row.id if row is not None else ALL
    if asked.space:
        return _of_space(connection, index, asked, scope, today, at)
    found: Numbers | None = Kept(connection, scope)
    if at < today:
        found = numbers.was(connection, scope, at) if begun and at >= begun.date() else None
    return _Part(connection, asked, scope, today, at, found, None)


def _of_space(connection: Connection, index: Index, asked: Asked, scope: int, today: date, at: date) -> _Part:
    space = spaces.named(connection, asked.space or "")
    if at < today:
        message = "a space is what its search finds now; leave out `at` or the space"
        raise UsageError(message, code="bad-parameter", field="at")
    scopes = [space.scope, *([Scope(filters={"source": [asked.source]})] if asked.source else [])]
    added = numbers.of_space(connection, index, scopes)
    return _Part(connection, asked, scope, today, at, Held(added.counts), added)


def _counts(part: _Part, by: Mapping[str, By] | None) -> dict[str, Any]:
    if part.numbers is None:
        # When datasets came and went, the change log has told from the beginning.
        visible = numbers.datasets_at(part.connection, part.scope, part.at)
        return {"datasets": visible, "distributions": None, "organisations": None}
    return {
        "datasets": part.numbers.number(DATASETS),
        "distributions": part.numbers.number(DISTRIBUTIONS),
        "organisations": by["organisation"].distinct if by else None,
    }


def _original(part: _Part) -> float | None:
    """Of a source it is told of its records, of anything else of the datasets."""
    if part.numbers is None or (part.scope != ALL and part.past):
        return None
    if part.scope != ALL and part.space is None:
        share = originals.shares(part.connection, [part.scope]).get(part.scope)
        return None if share is None else share.share
    datasets = part.numbers.number(DATASETS)
    return part.numbers.number(ORIGINAL) / datasets if datasets else None


def _by(connection: Connection, found: Numbers, asked: Asked) -> dict[str, By]:
    sizes = found.sizes()
    unknowns = select(figure_values.c.dimension, figure_values.c.id).where(figure_values.c.value == "")
    unknowns = unknowns.where(figure_values.c.dimension.in_(BY_CODE))
    value_of = {row.dimension: row.id for row in connection.execute(unknowns)}
    told = {}
    for item in DIMENSIONS:
        unknown = found.number(value_of[item.code]) if item.code in value_of else 0
        # One more: what is unknown may be among the most frequent.
        values_ = _values(connection, found, item, asked.top + 1, asked.language)[: asked.top]
        told[item.name] = By(values_, sizes.get(item.code, 0) - bool(unknown), unknown)
    return told


def _values(connection: Connection, found: Numbers, item: Dimension, limit: int, language: str) -> list[Value]:
    most, whole = found.most(item.code, limit), found.number(DATASETS)
    texts = _texts(connection, item, [value for value, _ in most])
    named_ = ((texts.get(value, ""), number) for value, number in most)
    return [Value(text, item.label(text, language), number, number / whole) for text, number in named_ if text]


def _texts(connection: Connection, item: Dimension, ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), CHUNK):
        mine = figure_values.c.id.in_(ids[start : start + CHUNK])
        rows = connection.execute(select(figure_values.c.id, figure_values.c.text).where(mine))
        found |= {row.id: row.text for row in rows}
    return found


def _growth(part: _Part, since: YearMonth, until: YearMonth) -> list[Month]:
    if part.space is not None:
        return list(_growth_of_space(part.space.months, since, until))
    rows = part.connection.execute(
        select(figure_months).where(figure_months.c.source_id == part.scope).order_by(figure_months.c.month)
    ).all()
    net = {row.month: row.created + row.restored - row.retired - row.joined for row in rows}
    kinds = {row.month: {kind: int(row._mapping[kind]) for kind in KINDS} for row in rows}
    visible = sum(number for month, number in net.items() if month < _number(since))
    told = []
    for month in months_between(since, until):
        visible += net.get(_number(month), 0)
        told.append(Month(named(month), visible=visible, **kinds.get(_number(month), dict.fromkeys(KINDS, 0))))
    return told


def _growth_of_space(found: Mapping[int, int], since: YearMonth, until: YearMonth) -> Iterator[Month]:
    """Of what a space holds now; what it held before, nobody kept."""
    visible = sum(number for month, number in found.items() if month < _number(since))
    for month in months_between(since, until):
        visible += found.get(_number(month), 0)
        yield Month(named(month), found.get(_number(month), 0), None, None, None, visible)


def _number(month: YearMonth) -> int:
    return month[0] * 100 + month[1]


def _sources(part: _Part) -> Collection[int] | None:
    """The sources whose runs are told of: those that list something of a space."""
    if part.scope != ALL:
        return [part.scope]
    if part.space is None:
        return None
    item = BY_NAME["source"]
    listed = part.numbers.most(item.code, _WHOLE) if part.numbers else []
    names = _texts(part.connection, item, [value for value, _ in listed]).values()
    return list(part.connection.execute(select(source_table.c.id).where(source_table.c.name.in_(names))).scalars())


def _freshness(part: _Part, found: Numbers) -> Freshness:
    day = part.at.toordinal() - EPOCH
    by_frequency: dict[int, Counter[str]] = {}
    for promise, number in numbers.freshness(found):
        state = "kept" if promise.kept_on(day) else "late" if promise.day else "untold"
        by_frequency.setdefault(promise.frequency, Counter())[state] += number
    told = [_promised(frequency, states, part.asked.language) for frequency, states in sorted(by_frequency.items())]
    kept, late, untold = (sum(states[name] for states in by_frequency.values()) for name in ("kept", "late", "untold"))
    share = kept / (kept + late) if kept + late else None
    return Freshness(kept + late + untold, kept, late, untold, share, told, _worst(part, day))


def _promised(frequency: int, states: Mapping[str, int], language: str) -> Promised:
    code, kept, late, untold = CODES[frequency], states["kept"], states["late"], states["untold"]
    label = BY_NAME["frequency"].label(code, language)
    share = kept / (kept + late) if kept + late else None
    return Promised(code, label, allowed(frequency), kept + late + untold, kept, late, untold, share)


def _worst(part: _Part, day: int) -> list[Late] | None:
    if part.past:
        return None
    found = part.space.promises if part.space is not None else _oldest(part)
    late = [(promise, i) for promise, i in found if promise.day and not promise.kept_on(day)]
    worst = nlargest(WORST, late, key=lambda one: (one[0].missed_on(day), -one[1]))
    views = {view.id: view for view in queries.dataset_views(part.connection, [i for _, i in worst])}
    return [_late(views[i], promise, day, part.asked.language) for promise, i in worst if i in views]


def _oldest(part: _Part) -> Iterable[tuple[Promise, int]]:
    """Of each frequency the datasets that were updated the longest ago: the worst ones are among them."""
    table = figure_promises.c
    for frequency in CODES:
        mine = (table.source_id == part.scope, table.frequency == frequency, table.day > 0)
        rows = part.connection.execute(
            select(table.day, table.dataset_id).where(*mine).order_by(table.day, table.dataset_id).limit(WORST)
        )
        yield from ((Promise(frequency, row.day), row.dataset_id) for row in rows)


def _late(view: queries.DatasetView, promise: Promise, day: int, language: str) -> Late:
    title = preferred(view.dataset.title, language) if view.dataset else None
    listed = sorted({record.source for record in view.records if record.status == "active"})
    updated = date.fromordinal(promise.day + EPOCH)
    return Late(view.key, title or view.key, CODES[promise.frequency], updated, promise.missed_on(day), listed)

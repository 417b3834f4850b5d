"""Which pairs of records are judged, and what is kept of it: the rows of `links`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select

from harvester.catalogue.clusters.blocking import Touched, crowded_among
from harvester.catalogue.clusters.facts import Fact, Facts
from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.prepared import NAMED, OWN, Key, block
from harvester.catalogue.packing import pack
from harvester.catalogue.tables import links
from harvester.identity.glance import unrelated
from harvester.identity.judge import RULES_VERSION, Decision, Judgement, Shared, judge

Pair = tuple[int, int]
_RENAMED = Judgement(
    Decision.SAME, "former-identifier", 1.0, ("one of them had the identifier of the other in the same source before",)
)
_RETURNED = Judgement(Decision.SAME, "own-export", 1.0, ("one of them names the dataset of this catalogue",))
# Rules that say of two records what they are not, rather than that nothing is known.
_VETOES = frozenset({"veto", "owners"})
_APART = Judgement(Decision.DIFFERENT, "nothing-shared", 0.0, ())


class Verdict(NamedTuple):
    """What is kept of a judgement."""

    decision: str
    rule: str
    score: float
    evidence: tuple[str, ...]


def ordered(a: int, b: int) -> Pair:
    """A pair as it is stored."""
    return (a, b) if a < b else (b, a)


def judge_again(connection: Connection, facts: Facts, touched: Touched, changed: Collection[int]) -> set[int]:
    """Judge what changed and write what is found; answers the records of which a partner came, went or changed."""
    stored = _stored(connection, set(changed).union(*touched.opened, *touched.closed))
    # What was different while they shared a key more is different without it.
    pairs = set(_pairs(touched, changed)) | _among(stored, touched.closed)
    old = {pair: row for pair, row in stored.items() if pair in pairs or not set(changed).isdisjoint(pair)}
    new = judged(facts, pairs, _live(connection, facts, touched, pairs))
    _write(connection, old, new)
    same = [_same(old), _same(new)]
    return {one for pair in same[0].items() ^ same[1].items() for one in pair[0]} | {
        one for pair in same[1] for one in pair if one in changed
    }


def drop(connection: Connection, gone: Iterable[int]) -> set[int]:
    """Forget what records were judged to be; answers the records that were the same as they."""
    left: set[int] = set()
    for part in pieces(gone):
        mine = or_(links.c.a.in_(part), links.c.b.in_(part))
        rows = connection.execute(select(links.c.a, links.c.b).where(mine, links.c.decision == Decision.SAME))
        left |= {one for row in rows for one in row}
        connection.execute(delete(links).where(mine))
    return left - set(gone)


def judged(facts: Facts, pairs: Iterable[Pair], live: Collection[int]) -> dict[Pair, Verdict]:
    """The pairs that are more than different, of those whose records are known."""
    wanted = sorted(pairs)
    known = facts.load({one for pair in wanted for one in pair})
    found: dict[Pair, Verdict] = {}
    for a, b in wanted:
        if a in known and b in known:
            told = judged_pair(known[a], known[b], live)
            if told.decision is not Decision.DIFFERENT:
                found[a, b] = Verdict(str(told.decision), told.rule, told.score, told.evidence)
    return found


def judged_pair(one: Fact, other: Fact, live: Collection[int]) -> Judgement:
    """What two records are to each other, by the keys that both have and that say something."""
    values = {key.value for key in one.keys} & {key.value for key in other.keys}
    return decided(one, other, [key for key in one.keys | other.keys if key.value in values and key.value in live])


def decided(one: Fact, other: Fact, shared: Collection[Key], telling: bool = True) -> Judgement:
    """What two records are to each other, by the keys that they share; `telling`: with its evidence."""
    kinds = {key.kind for key in shared}
    if NAMED in kinds:
        return _RETURNED
    if OWN in kinds and not _stands_for_another(one, other):
        return _RENAMED
    blocks = frozenset(found for key in shared if (found := block(key)) is not None)
    if not blocks:
        return _APART
    same_source = one.name.source == other.name.source
    if unrelated(one.signs, other.signs, {kind for kind, _ in blocks}, same_source=same_source):
        return _APART
    return judge(one.signs, other.signs, shared=Shared(blocks), same_source=same_source, telling=telling)


def _stands_for_another(one: Fact, other: Fact) -> bool:
    """Whether an identifier was given to something else: title, data and text are others at once, as in `reuse`."""
    a, b = one.signs, other.signs
    if not a.titles or not b.titles or {title[1:] for title in a.titles} & {title[1:] for title in b.titles}:
        return False
    said = ((a.keys, b.keys), (a.urls, b.urls), (a.sums, b.sums))
    same_text = a.prose.mark != 0 and a.prose.mark == b.prose.mark
    return not same_text and all(set(mine).isdisjoint(theirs) for mine, theirs in said)


def vetoed(facts: Facts, a: int, b: int) -> bool:
    """Whether two records that are known cannot be one (`vetoing`)."""
    known = facts.load((a, b))
    return vetoing(known[a], known[b])


def vetoing(one: Fact, other: Fact) -> bool:
    """Whether two records of two sources cannot be one, whatever a third one is: other years, places, owners."""
    if not one.body or not other.body:
        return False
    told = judge(one.signs, other.signs, shared=Shared(), same_source=False, telling=False)
    return told.decision is Decision.RELATED or (told.decision is Decision.DIFFERENT and told.rule in _VETOES)


def _pairs(touched: Touched, changed: Collection[int]) -> Iterator[Pair]:
    """Who is judged: what changed with all that it shares a key with, and all under a key that began or ceased to."""
    mine = set(changed)
    for holders in touched.holders.values():
        for one in holders & mine:
            yield from (ordered(one, other) for other in holders if other != one)
    for opened in touched.opened:
        yield from combinations(sorted(opened), 2)


def _among(pairs: Iterable[Pair], groups: Iterable[set[int]]) -> set[Pair]:
    """Those of the pairs whose records are both in one of the groups."""
    of: dict[int, set[int]] = defaultdict(set)
    for number, group in enumerate(groups):
        for one in group:
            of[one].add(number)
    return {(a, b) for a, b in pairs if a in of and b in of and not of[a].isdisjoint(of[b])}


def _live(connection: Connection, facts: Facts, touched: Touched, pairs: Iterable[Pair]) -> set[int]:
    """The keys that the pairs share, and that say something."""
    wanted = list(pairs)
    known = facts.load({one for pair in wanted for one in pair})
    shared: set[int] = set()
    for a, b in wanted:
        if a in known and b in known:
            shared |= {key.value for key in known[a].keys} & {key.value for key in known[b].keys}
    unsure = shared - touched.holders.keys()
    return shared - crowded_among(connection, unsure)


def _stored(connection: Connection, ids: Collection[int]) -> dict[Pair, Any]:
    found: dict[Pair, Any] = {}
    for part in pieces(ids):
        for row in connection.execute(select(links).where(or_(links.c.a.in_(part), links.c.b.in_(part)))):
            found[row.a, row.b] = row
    return found


def _write(connection: Connection, old: Mapping[Pair, Any], new: Mapping[Pair, Verdict]) -> None:
    rows = {pair: _row(pair, verdict) for pair, verdict in new.items()}
    kept = {pair for pair, row in rows.items() if pair in old and row == old[pair]._asdict()}
    gone = [{"b_a": a, "b_b": b} for a, b in old if (a, b) not in kept]
    if gone:
        pair = (links.c.a == bindparam("b_a"), links.c.b == bindparam("b_b"))
        connection.execute(delete(links).where(*pair), gone)
    fresh = [row for pair, row in rows.items() if pair not in kept]
    if fresh:
        connection.execute(insert(links), fresh)


def _row(pair: Pair, verdict: Verdict) -> dict[str, Any]:
    told = {"decision": verdict.decision, "rule": verdict.rule, "rules": RULES_VERSION, "score": verdict.score}
    return {"a": pair[0], "b": pair[1], **told, "evidence": pack(list(verdict.evidence))}


def _same(found: Mapping[Pair, Any]) -> dict[Pair, float]:
    return {pair: row.score for pair, row in found.items() if row.decision == Decision.SAME}

"""Which records may be one dataset, and how surely: the target's own word first, then what they share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row

from harvester.catalogue.clusters.prepared import block, unpacked_keys
from harvester.catalogue.packing import load_dataset
from harvester.identity.blocks import blocks
from harvester.identity.comparing import Bond, compare_owners
from harvester.identity.judge import RULES_VERSION, Decision, Shared, judge
from harvester.identity.signs import Signs, signs_of
from harvester.reconcile.byhand import Said
from harvester.reconcile.folding import squashed
from harvester.reconcile.ground import GUID, NAME, PAGE, PROBABLE, SURMISED, TITLE, Edge, Key, Partner, Theirs

NAMED, PAGED, IDENTIFIED, JOINED = "provenance", "provenance-page", "identifier", "hand"
# Pairs that people or the target's own words make come before those that anything else makes.
_JOINED, _NAMED, _PAGED, _LINKED, _SHARED = 200.0, 100.0, 98.0, 92.0, 90.0
_SAME, _PROBABLE, _SPAN = 60.0, 30.0, 20.0
_TITLE = 0.5
_SILENCE: Mapping[int, Said] = {}
# Of two that the source's record may be, the one that says it came from the source comes first.
_CLAIMING = 5.0
_LEAST_TITLE = 10
_HARD = frozenset(("id", "url", "page"))
# A UUID, or the ObjectId of udata; not the same digit again and again.
_UNIQUE = re.compile(r"(?=.*[a-f])(?=.*\d)[0-9a-f]{24,40}")


def key(kind: str, text: str) -> Key:
    """The key of a name, a page or a title: kinds that no block has."""
    mark = blake2b(f"{kind}\x00{text}".encode("utf-8", "replace"), digest_size=8).digest()
    return Key(int.from_bytes(mark, "big", signed=True), kind)


def name_keys(names: Iterator[str]) -> set[Key]:
    """The keys of the names that a portal has for a record."""
    return {key(NAME, name.strip().lower()) for name in names if name.strip()}


def guid_key(guid: str) -> list[Key]:
    """The key of an identifier that no two portals would make up for two things."""
    plain = guid.lower().rpartition("/")[2].replace("-", "")
    return [key(GUID, plain)] if _UNIQUE.fullmatch(plain) else []


def title_key(title: str | None) -> list[Key]:
    """The key of a title, unless it is too short to tell."""
    folded = squashed(title or "")
    return [key(TITLE, folded)] if len(folded) >= _LEAST_TITLE else []


def told_apart(row: Row[Any], source_url: str) -> tuple[bytes, list[Key]]:
    """What judging a record needs, and the keys under which it is compared with others: as kept, if still good."""
    if row.signs and row.rules == RULES_VERSION:
        found = (block(kept) for kept in unpacked_keys(bytes(row.keyed)))
        return bytes(row.signs), [Key(number, kind) for kind, number in filter(None, found)]
    signs = signs_of(load_dataset(row.dataset), guid=row.guid, source_url=source_url)
    return signs.packed(), [Key(number, kind) for kind, number in blocks(signs)]


def edges(theirs: Theirs, partners: Sequence[Partner], said: Mapping[int, Said] = _SILENCE) -> Iterator[Edge]:
    """The records of the source that one of the target may be; `said` is what people decided of it and its partners.

    What people joined is one, and no other; what they split is none.  One that says which it is can be no other; one
    that came from elsewhere, or from what the source no longer has, is the same only where that is sure.
    """
    joined = [_joined(theirs, partner, said[partner.id]) for partner in partners if _is_joined(partner, said)]
    if joined:
        yield from joined
        return
    yield from _by_rule(theirs, [partner for partner in partners if partner.id not in said])


def _is_joined(partner: Partner, said: Mapping[int, Said]) -> bool:
    return partner.id in said and said[partner.id].one


def _joined(theirs: Theirs, partner: Partner, word: Said) -> Edge:
    told = f"a person decided so (decision {word.decision})"
    return Edge(partner.id, theirs.id, _JOINED + _alike(theirs, partner), JOINED, told)


def _alike(theirs: Theirs, partner: Partner) -> float:
    return _TITLE if theirs.title and squashed(theirs.title) == squashed(partner.title or "") else 0.0


def _by_rule(theirs: Theirs, partners: Sequence[Partner]) -> Iterator[Edge]:
    named = [found for partner in partners if (found := _named(theirs, partner))]
    if any(partner.live for partner in partners if any(edge.s == partner.id for edge in named)):
        yield from named
        return
    yield from named
    if theirs.signs is None:
        return
    signs = Signs.unpacked(theirs.signs)
    wary = bool(theirs.origins) or theirs.claims == 2
    for partner in partners:
        found = _judged(theirs, signs, partner)
        if found and (found.rule != PROBABLE or not wary) and not any(edge.s == partner.id for edge in named):
            yield found


def _named(theirs: Theirs, partner: Partner) -> Edge | None:
    kinds = {shared.kind for shared in partner.blocks}
    # Of two that name it, the one that has kept its identifier is no copy.
    alike = _alike(theirs, partner) + _TITLE / 2 * (GUID in kinds)
    if NAME in kinds:
        strength, told = (_NAMED, "the target names it by its identifier at the source")
        if theirs.claims < 2:
            strength, told = (_LINKED, "the target links to its page at the source")
        return Edge(partner.id, theirs.id, strength + alike, NAMED, told)
    if PAGE in kinds:
        return Edge(partner.id, theirs.id, _PAGED + alike, PAGED, "the target names its page at the source")
    if GUID in kinds:
        return Edge(partner.id, theirs.id, _SHARED + alike, IDENTIFIED, "both portals know it by one identifier")
    return None


def _namesakes(mine: Signs, theirs: Signs, partner: Partner) -> bool:
    """Whether words alone link records of two producers: councils fill in one template with one title."""
    if _is_hard(partner):
        return False
    return compare_owners(mine, theirs) not in (Bond.SAME, Bond.UNKNOWN)


def _is_hard(partner: Partner) -> bool:
    return not _HARD.isdisjoint(shared.kind for shared in partner.blocks)


def _judged(theirs: Theirs, signs: Signs, partner: Partner) -> Edge | None:
    if partner.signs is None:
        return None
    mine = Signs.unpacked(partner.signs)
    shared = Shared(frozenset((one.kind, one.key) for one in partner.blocks))
    found = judge(mine, signs, shared=shared, same_source=False)
    if found.decision not in (Decision.SAME, Decision.PROBABLE):
        return None
    if _namesakes(mine, signs, partner):
        return None
    base = (_SAME if found.decision is Decision.SAME else _PROBABLE) + _CLAIMING * (theirs.claims > 0)
    rule = found.rule if found.decision is Decision.SAME else PROBABLE
    if theirs.claims == 2 and rule != PROBABLE and not _is_hard(partner):
        # It names another record of the source, one that is gone: renamed perhaps, but no copy of one that arrived.
        rule = SURMISED
    told = "; ".join((*found.evidence, f"rule {found.rule}"))
    return Edge(partner.id, theirs.id, base + _SPAN * found.score, rule, told)

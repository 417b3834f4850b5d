"""Two records laid side by side: everything that the rules ask, found once, and the same said in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harvester.identity.comparing import (
    Bond,
    Prose,
    Texts,
    compare_owners,
    compare_places,
    compare_texts,
    mentions_owner,
    named_apart,
    periods_conflict,
    same_moment,
    titles_name_owner,
    versions_conflict,
)
from harvester.identity.judgement import Decision, Judgement, Shared
from harvester.identity.signs import Signs
from harvester.identity.titles import Likeness, Titles, compare_titles

_TITLES = {
    Likeness.SILENT: "no titles to compare",
    Likeness.APART: "the titles have little in common",
    Likeness.SIBLINGS: "the titles differ in {differing}",
    Likeness.WIDER: "one title has more: {differing}",
    Likeness.EDITION: "the titles differ in {differing} only",
    Likeness.NEAR: "the titles are equal but for spelling",
    Likeness.EXPLAINED: "the titles are equal but for {explained}",
    Likeness.EQUAL: "the titles are equal",
}
_TEXTS = {
    Prose.SILENT: "no descriptions to compare",
    Prose.UNLIKE: "the descriptions have little in common",
    Prose.LOOSE: "the descriptions share {share} % of their words",
    Prose.TEMPLATE: "the descriptions are one text with other names: {differing}",
    Prose.PART: "one description holds {share} % of the other",
    Prose.NEAR: "the descriptions share {share} % of their text",
    Prose.EQUAL: "the descriptions are equal",
}
_BONDS = {
    Bond.SAME: "the {what} agree",
    Bond.APART: "the {what} differ: {left} / {right}",
    Bond.CONFLICT: "the {what} exclude each other: {left} / {right}",
}


class Veto(NamedTuple):
    """What only two datasets can differ in; `timed` if it is when they are of, or which edition."""

    said: str
    timed: bool


class Case(NamedTuple):
    """Two records and how they compare."""

    a: Signs
    b: Signs
    kinds: frozenset[str]
    files: float  # the share of the files of the one with fewer that the other has too
    titles: Titles
    texts: Texts
    owners: Bond
    places: Bond
    vetoes: tuple[Veto, ...]  # what only two datasets can differ in
    telling: bool  # whether anybody reads the evidence

    def ruled(self, decision: Decision, rule: str, score: float, *evidence: str) -> Judgement:
        """The judgement, with what was compared as its evidence."""
        return Judgement(decision, rule, score, (*evidence, *self.told()) if self.telling else ())

    def told(self) -> Iterator[str]:
        """What was compared, in words; the vetoes last."""
        yield told_titles(self.titles)
        yield _told_texts(self.texts)
        if self.owners in _BONDS:
            left, right = _listed(self.a.owners[:1]), _listed(self.b.owners[:1])
            yield _BONDS[self.owners].format(what="owners", left=left, right=right)
        if self.places is Bond.SAME:
            yield "the places agree"
        yield from (veto.said for veto in self.vetoes)

    @property
    def owned(self) -> bool:
        """Whether one owner stands behind both, as far as owners and titles tell."""
        if self.owners in (Bond.SAME, Bond.CONFLICT):
            return self.owners is Bond.SAME
        return titles_name_owner(self.a, self.b, either=self.owners is Bond.UNKNOWN)

    @property
    def copied(self) -> bool:
        """Whether the descriptions are one, or begin as one, to the word."""
        left, right = self.a.prose, self.b.prose
        return bool(left.head) and (left.head == right.head or left.mark == right.mark)

    @property
    def owner_named(self) -> bool:
        """Whether one record names the owner of the other."""
        return mentions_owner(self.a, self.b)

    @property
    def moment(self) -> bool:
        """Whether both have one time of issue or change."""
        return same_moment(self.a, self.b)


def told_titles(titles: Titles) -> str:
    """How the titles compare, in words."""
    explained = _listed(titles.explained) if titles.explained else "a note or an abbreviation"
    return _TITLES[titles.likeness].format(differing=titles.differing(), explained=explained)


def _told_texts(texts: Texts) -> str:
    told = _TEXTS[texts.likeness]
    if "{" not in told:
        return told
    return told.format(share=round(texts.shared * 100), differing=f"{_listed(texts.left)} / {_listed(texts.right)}")


def _listed(words: tuple[str, ...]) -> str:
    return " ".join(f"'{word}'" for word in words[:4])


def case_of(a: Signs, b: Signs, shared: Shared, telling: bool) -> Case:
    """Two records side by side."""
    titles, texts = compare_titles(a, b), compare_texts(a, b)
    kinds = frozenset(kind for kind, _ in shared.blocks)
    owners, places = compare_owners(a, b), compare_places(a, b)
    vetoes = tuple(_vetoes(a, b, titles, texts, places))
    files = _files(a, b, shared) if "url" in kinds else 0.0
    return Case(a, b, kinds, files, titles, texts, owners, places, vetoes, telling)


def _files(a: Signs, b: Signs, shared: Shared) -> float:
    live = {key for kind, key in shared.blocks if kind == "url"}
    fewest = min(len(a.urls), len(b.urls)) or 1
    return min(1.0, len(live.intersection(a.urls, b.urls)) / fewest or float(not live.isdisjoint(a.sums)))


def _vetoes(a: Signs, b: Signs, titles: Titles, texts: Texts, places: Bond) -> Iterator[Veto]:
    if titles.numbered:
        yield Veto(f"the titles differ in a number: {titles.differing()}", timed=False)
    if titles.dated and titles.left and titles.right:
        yield Veto(f"the titles differ in time: {titles.differing()}", timed=True)
    if places is Bond.CONFLICT:
        yield Veto(f"the places exclude each other: {_placed(a)} / {_placed(b)}", timed=False)
    if periods_conflict(a, b):
        yield Veto(f"they cover other times: {'-'.join(a.period)} / {'-'.join(b.period)}", timed=True)
    if versions_conflict(a, b) and titles.likeness != Likeness.EQUAL:
        yield Veto(f"the versions differ: {a.version} / {b.version}", timed=True)
    if texts.left and texts.right and named_apart(a, b, texts):
        yield Veto(f"the descriptions name {_listed(texts.left)} / {_listed(texts.right)}", timed=False)


def _placed(signs: Signs) -> str:
    return _listed(signs.places[:2]) or str(signs.bbox)

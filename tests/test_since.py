"""Incremental walks of portals that heed the date they are given, and of those that only seem to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from harvester.connector import Page, Record, Walk
from harvester.errors import SourceError
from harvester.samples.serving import Portal, Reply, Request, json_reply
from harvester.walks import walk_changes
from tests.kinds import KINDS, START, Kind, guids

NAMES = ("ckan", "opendatasoft", "udata")


@pytest.fixture(params=[kind for kind in KINDS if kind.name in NAMES], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def since(number: int) -> Walk:
    # Datasets are a minute apart: days later, so that no allowance for clocks hides a filter that is ignored.
    return Walk(since=START + timedelta(minutes=number))


def aged(kind: Kind, days: int) -> Portal:
    """Datasets a day apart, the first a year old."""
    return kind.portal(range(0, days * 1440, 1440))


def codes(pages: list[Page]) -> list[str]:
    return [note.code for page in pages for note in page.notes]


def test_changes_alone_are_asked_for(kind: Kind) -> None:
    pages = list(kind.walk(aged(kind, 300), since(280 * 1440)))
    late = kind.guids(range(280 * 1440, 300 * 1440, 1440))
    found = set(guids(pages))
    assert late <= found
    assert len(found) <= 20 + 100
    assert codes(pages) == []


def test_a_filter_that_is_ignored_is_told_and_loses_nothing(kind: Kind) -> None:
    portal = aged(kind, 300)

    def ignoring(request: Request) -> Reply:
        return portal(request.without(["fq", "where"]).asking(**({"sort": "created"} if kind.name == "udata" else {})))

    pages = list(kind.walk(ignoring, since(280 * 1440)))
    assert codes(pages) == ["filter-ignored"]
    found = guids(pages)
    assert len(found) == len(set(found))
    assert set(found) == kind.guids(range(0, 300 * 1440, 1440))


def answering_none(kind: Kind, portal: Portal) -> Portal:
    """A portal whose filter on dates finds nothing, whatever there is (api.gsa.gov)."""
    empty = {"ckan": {"success": True, "result": {"count": 0, "results": []}}}
    none = empty.get(kind.name, {"total_count": 0, "results": []})

    def answer(request: Request) -> Reply:
        dated = "metadata_modified:[" in request.get("fq") or "modified >=" in request.get("where")
        return json_reply(none) if dated else portal(request)

    return answer


@pytest.mark.parametrize("resumed", [False, True])
def test_a_filter_that_finds_nothing_though_there_is_something_is_told(kind: Kind, resumed: bool) -> None:
    if kind.name == "udata":
        pytest.skip("udata has no filter on dates")
    portal = answering_none(kind, aged(kind, 300))
    pages = list(kind.walk(portal, since(280 * 1440)))
    everything = kind.guids(range(0, 300 * 1440, 1440))
    assert codes(pages) == ["filter-ignored"]
    assert set(guids(pages)) == everything
    for number, page in enumerate(pages if resumed else []):
        if page.cursor is not None:
            rest = kind.walk(portal, Walk(since(280 * 1440).since, page.cursor))
            assert set(guids(pages[: number + 1])) | set(guids(rest)) == everything, page.cursor


def test_a_portal_without_changes_is_not_read_again(kind: Kind) -> None:
    pages = list(kind.walk(aged(kind, 300), since(301 * 1440)))
    assert codes(pages) == []
    assert len(guids(pages)) <= 100


def test_a_portal_that_cannot_be_asked_what_changed_last_is_believed() -> None:
    kind = next(kind for kind in KINDS if kind.name == "ckan")
    portal = answering_none(kind, aged(kind, 30))

    def answer(request: Request) -> Reply:
        refusal = {"success": False, "error": {"__type": "Validation Error", "sort": ["Cannot sort"]}}
        return json_reply(refusal, 409) if request.get("sort") == "metadata_modified desc" else portal(request)

    assert list(kind.walk(answer, since(28 * 1440))) == []


LATEST = Record("b", {})


@pytest.mark.parametrize("code", ["http-400", "ckan-search-query-error"])
def test_a_portal_that_refuses_the_filter_is_read_whole(code: str) -> None:
    def some(cursor: str | None) -> Iterator[Page]:
        raise SourceError("what is that?", code=code)
        yield

    whole = [Page((Record("a", {}),), cursor="1"), Page((Record("b", {}),), cursor="2")]
    first, *rest = walk_changes(Walk(START), some, lambda cursor: iter(whole[int(cursor or 0) :]), lambda: LATEST)
    assert [note.code for note in first.notes] == ["filter-ignored"]
    assert guids(rest) == ["a", "b"]
    again = walk_changes(
        Walk(START, rest[0].cursor), some, lambda cursor: iter(whole[int(cursor or 0) :]), lambda: None
    )
    assert guids(again) == ["b"]


@pytest.mark.parametrize("code", ["http-404", "unavailable"])
def test_a_portal_that_fails_when_asked_for_changes_fails(code: str) -> None:
    def some(cursor: str | None) -> Iterator[Page]:
        raise SourceError("not now", code=code)
        yield

    with pytest.raises(SourceError, match="not now"):
        list(walk_changes(Walk(START), some, lambda cursor: iter(()), lambda: LATEST))


EMPTIED = [kind for kind in KINDS if kind.name in ("ckan", "udata", "opendatasoft")]


@pytest.mark.parametrize("kind", EMPTIED, ids=[kind.name for kind in EMPTIED])
def test_a_portal_that_has_nothing_at_all_is_told(kind: Kind) -> None:
    assert codes(list(kind.walk(kind.portal([]), since(60)))) == ["empty-answer"]

"""The faults, a line each: what the portal does, which kinds of portal can, and what must be true after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harvester.samples.serving import html_reply
from tests.faults import odd, ways
from tests.faults import truths as true
from tests.faults.truths import Truth
from tests.faults.ways import Edit, Fault
from tests.faults.worlds import KINDS

ALL = tuple(KINDS)
PAGED = ("ckan", "udata", "opendatasoft", "dcat")
JSON = ("ckan", "udata", "opendatasoft")
FEEDS = ("dcat", "rdf-xml", "data-json")
# One client asks for all kinds: what it makes of an answer is shown by two.
TWO = ("ckan", "dcat")
ONE_FILE = ("rdf-xml", "data-json")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `ticket` is its number in the list of what fails elsewhere (T1 to T45).

    `mode` is what the run asks for; `goes` says that the portal itself takes the spoilt dataset away.
    """

    name: str
    does: str
    kinds: tuple[str, ...]
    fault: Fault
    after: tuple[Truth, ...]
    tickets: tuple[int, ...] = ()
    mode: str = "full"
    goes: bool = False


def _passing() -> Iterator[Row]:
    """Trouble that passes while the portal is asked again: nobody notices."""
    once: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("500-once", "fails once, in the middle of the walk", PAGED),
        ("html-once", "answers a web page with status 200, once", PAGED),
        ("304-for-ever", "says that nothing has changed, whatever does", PAGED),
        ("503-first", "restarts while it is asked first", TWO),
        ("hang-up", "closes a connection without an answer", TWO),
        ("reset-once", "breaks off an answer in its middle", TWO),
        ("slow", "answers a kilobyte a second", TWO),
        ("429-date", "is too busy until a date that has passed", TWO),
    )
    for name, does, kinds in once:
        yield Row(name, does, kinds, ways.known(name), (true.WHOLE,))
    busy = (true.WHOLE, true.waited(1))
    yield Row("429-seconds", "is too busy for a second", TWO, ways.known("429-seconds"), busy)
    yield Row("429-future", "is too busy until a date to come", TWO, ways.known("429-future"), busy)
    does = "has spent its quota and says in the body until when"
    yield Row("429-reset-time", does, ("opendatasoft",), ways.known("429-reset-time"), busy)


def _lasting() -> Iterator[Row]:
    """Trouble that lasts."""
    down = ("http-500", "host-down")
    page = html_reply("Site en maintenance", 200)
    html = ("not-json", "not-rdf", "not-pod", "not-ckan", "no-api", "unexpected-answer")
    cut = ("not-json", "bad-json", "not-rdf", "broken-document", "syntax-error")
    reset = ("truncated", "host-down")
    rows: tuple[tuple[str, str, tuple[str, ...], Fault, tuple[str, ...], tuple[int, ...]], ...] = (
        ("500-always", "fails from the second request on", PAGED, ways.known("500-always"), down, (2, 6, 38)),
        ("500-from-start", "fails at every request", ALL, ways.failing_from(1), (*down, "no-api"), (38,)),
        ("404-later", "is gone from the second request on", PAGED, ways.known("404-later"), ("http-404",), ()),
        ("403-wall", "refuses us from the start", PAGED, ways.known("403-wall"), ("blocked", "http-403"), (36,)),
        ("403-burst", "refuses us from the second request on", PAGED, ways.known("403-burst"), ("blocked",), (36,)),
        ("reset-always", "breaks off every answer but the first", PAGED, ways.known("reset-always"), reset, ()),
        ("reset-from-start", "breaks off every answer", ALL, ways.broken_off, (*reset, "network"), ()),
        ("html-always", "answers web pages from the second on", PAGED, ways.known("html-always"), html, (6,)),
        ("html-from-start", "answers nothing but a web page", ALL, ways.at_once(page), html, (6,)),
        ("truncated", "cuts every answer but the first", PAGED, ways.known("truncated"), cut, ()),
        ("drip", "lets minutes pass between two kilobytes", ALL, ways.endless, ("timeout", "host-down"), (37,)),
        ("redirect-loop", "redirects in a circle", PAGED, ways.known("redirect-loop"), ("redirects",), (37,)),
    )
    for name, does, kinds, fault, codes, tickets in rows:
        yield Row(name, does, kinds, fault, (true.failed(*codes),), tickets)
    away = (true.failed("private-address"), true.AT_HOME)
    does = "redirects to an address inside the network"
    yield Row("private-redirect", does, PAGED, ways.known("private-redirect"), away)
    later = (true.failed("http-500", "host-down"), true.PROGRESS)
    yield Row("500-midway", "fails from the fourth request on", ("ckan", "dcat"), ways.failing_from(4), later, (2, 16))
    does = "cuts the one file it is, and says that this was all"
    short = true.either(true.failed(*cut), true.holds("broken-answer", "count-gap", "walk-with-errors"))
    yield Row("truncated-file", does, ONE_FILE, ways.cut, (short, true.KEPT))


def _lists() -> Iterator[Row]:
    """Totals, pages, filters and orders."""
    empty = (true.holds("empty-answer"),)
    yield Row("empty", "shows a valid catalogue without any dataset", ALL, ways.changed(lambda e: []), empty, (6, 7))
    later = true.either(true.holds("empty-answer", "count-gap"), true.failed("vanished", "empty-export"))
    does = "shows an empty catalogue from the second request on"
    yield Row("empties-later", does, PAGED, ways.known("empties-later"), (later,), (6,))
    refused = (true.failed("ckan-internal-server-error"),)
    does = "answers `success: false` with status 200"
    yield Row("success-false", does, ("ckan",), ways.known("success-false"), refused)
    other = (true.either(true.failed("unexpected-answer"), true.holds("count-gap")),)
    does = "answers JSON of another kind with status 200"
    yield Row("other-json", does, ("udata", "opendatasoft", "dcat"), ways.known("success-false"), other)
    gap = (true.holds("count-gap"),)
    yield Row("high-total", "counts twice what it has", PAGED, ways.known("high-total"), gap)
    yield Row("lying-total", "counts a thousand too many", JSON, ways.known("lying-total"), gap)
    whole = true.either(true.WHOLE, true.partly("still-there"))
    yield Row("low-total", "counts half of what it has", PAGED, ways.known("low-total"), (whole,))
    yield Row("zero-total", "counts nothing, whatever it has", PAGED, ways.known("zero-total"), (whole,))
    loop = true.either(true.failed("paging-ignored", "paging-loop"), true.WHOLE)
    yield Row("page-loop", "gives the same page for ever", PAGED, ways.known("page-loop"), (loop,), (20,))
    circle = (true.failed("paging-loop"), true.asked(4))
    yield Row("link-loop", "links from page two back to page one", ("dcat",), ways.known("link-loop"), circle, (20,))
    yield Row("self-link", "links from page two to page two", ("dcat",), ways.known("self-link"), circle, (20,))
    away = (true.failed("private-address"), true.AT_HOME)
    does = "links to a page inside the network"
    yield Row("private-link", does, ("dcat",), ways.known("private-link"), away, (20,))
    relative = ways.linked(lambda path: path)
    yield Row("relative-link", "writes its links to pages without a host", ("dcat",), relative, (true.WHOLE,), (21,))
    capped = ways.known("capped-pages")
    yield Row("capped-pages", "gives 20 datasets a page, whatever is asked", PAGED, capped, (true.WHOLE,), (22,))
    yield Row("chokes", "fails on pages of more than 20 datasets", JSON, ways.known("chokes"), (true.WHOLE,), (25,))
    refuses = ways.nothing_but(ways.refusing_large_pages)
    yield Row("window", "refuses pages of more than 20 datasets", JSON, refuses, (true.WHOLE,), (25,))
    ignored = (true.told("filter-ignored"), true.OTHERS, true.KEPT)
    does = "ignores that only changes are asked for"
    yield Row("ignored-filter", does, JSON, ways.known("ignored-filter"), ignored, mode="incremental")
    does = "finds no change, whatever has changed"
    dated = ("ckan", "opendatasoft")
    yield Row("empty-filter", does, dated, ways.known("empty-filter"), ignored, mode="incremental")
    yield from _moving()


def _moving() -> Iterator[Row]:
    """Lists that change while they are read."""
    safe = (true.STANDING,)
    does = "loses two datasets in mid-walk"
    yield Row("gone-midway", does, PAGED, ways.turning(ways.same, ways.fewer), safe, (23,))
    does = "gains two datasets in mid-walk"
    yield Row("added-midway", does, PAGED, ways.turning(ways.fewer, ways.same), safe, (23,))
    halved = ways.turning(ways.same, ways.half)
    does = "loses half of its datasets in mid-walk"
    yield Row("halved-midway", does, PAGED, halved, (true.KEPT,), (6, 23))
    kept = (true.either(true.WHOLE, true.KEPT),)
    yield Row("unsorted", "gives every page in another order", ("ckan", "udata"), ways.shuffled, kept, (24,))
    yield Row("unsorted-feed", "gives every page in another order", ("dcat",), ways.rotating, kept, (24,))


def _contents() -> Iterator[Row]:
    """What the datasets are."""
    yield Row("nothing", "behaves", ALL, ways.changed(ways.same), (true.WHOLE, true.QUIET, true.EXPORTS), (5, 13, 42))
    half = (true.holds("too-many-vanished"),)
    yield Row("half", "shows half of its datasets, and counts no more", ALL, ways.changed(ways.half), half, (6, 7))
    renamed = ways.entrywise(ways.renamed)
    yield Row("renamed", "gives every dataset a new identifier", ALL, renamed, (true.SAME_KEYS,), (10,))
    lost = (true.holds("walk-with-errors"), true.ONE_LOST, true.OTHERS, true.LAST_GOOD)
    yield Row("breaking-record", "fails on every page that holds one dataset", JSON, ways.hidden, lost, (35,))
    broken = (true.failed("http-500", "host-down"),)
    yield Row("breaking-page", "fails on every page that holds one dataset", ("dcat",), ways.hidden, broken)
    nameless = {
        "ckan": lambda row: {**row, "id": None, "name": None},
        "udata": lambda row: {**row, "id": None, "slug": None},
        "opendatasoft": lambda row: {**row, "dataset_id": None},
    }
    anonymous = (true.holds("walk-with-errors"), true.OTHERS, true.LAST_GOOD, true.ONE_LOST)
    yield Row("nameless", "shows a dataset without identifier", JSON, ways.spoiling(nameless), anonymous, (3, 44))
    untitled = ways.one(lambda entry: replace(entry, title=""))
    sound = (true.OTHERS, true.STAYS)
    yield Row("untitled", "shows a dataset without title", ALL, untitled, sound, (3,))
    yield from _coming_and_going()
    yield from _odd(sound)
    yield from _texts(sound)


def _coming_and_going() -> Iterator[Row]:
    """Datasets that are withdrawn, and parts of them that go."""
    withdrawn: dict[str, Edit] = {
        "ckan": lambda row: row | {"state": "deleted"},
        "udata": lambda row: row | {"deleted": "2026-03-02T00:00:00+00:00"},
    }
    lists = tuple(withdrawn)
    one = (true.GOES, true.OTHERS)
    yield Row("withdrawn", "says that a dataset is deleted", lists, ways.shown(withdrawn), one, (5,), goes=True)
    private = ways.shown({"ckan": lambda row: row | {"private": True}, "udata": lambda row: row | {"private": True}})
    yield Row("private", "says that a dataset is private now", lists, private, one, (5,), goes=True)
    every = ways.shown(withdrawn, every=True)
    yield Row(
        "all-withdrawn",
        "says that all its datasets are deleted",
        lists,
        every,
        (true.holds("empty-answer"),),
        (7,),
    )
    dropped = ways.one(lambda entry: replace(entry, files=entry.files[:1]))
    yield Row("dropped-file", "takes a file away", ALL, dropped, (true.MIRRORS, true.QUIET_BUT_ONE), (8,))
    labels = ways.entrywise(lambda entry: replace(entry, files=tuple(f"{url}?use_labels=true" for url in entry.files)))
    yield Row("query-string", "adds an argument to the address of every file", ALL, labels, (true.MIRRORS,), (9,))
    mixed = ways.entrywise(lambda entry: replace(entry, keywords=entry.keywords[::-1]))
    yield Row("reordered", "lists keywords in another order", ALL, mixed, (true.QUIET,), (41,))
    twice = ways.changed(lambda entries: [*entries, *entries])
    yield Row("listed-twice", "lists every dataset twice", ALL, twice, (true.OTHERS,), (13,))


def _odd(sound: tuple[Truth, ...]) -> Iterator[Row]:
    """Values that are not what they should be."""
    words = ways.one(lambda entry: replace(entry, keywords=tuple(ways.words(34_866))))
    yield Row("keywords", "gives one dataset 34,866 keywords", ("ckan", "rdf-xml"), words, sound, (19,))
    files = ways.one(lambda entry: replace(entry, files=ways.more_files(8_327)))
    yield Row("files", "gives one dataset 8,327 files", ("ckan",), files, sound, (19,))
    tags = ways.one(lambda entry: replace(entry, keywords=("qualité de l'eau", "a/b", "C++")))
    yield Row("tags", "has tags with apostrophes, slashes and signs", ALL, tags, (*sound, true.holding("l'eau")), (43,))
    wrong: dict[str, Edit] = dict.fromkeys(JSON, ways.wrong_types)
    does = "has the wrong type in every field of a dataset"
    yield Row("types", does, JSON, ways.shown(wrong), sound, (27,))
    yield Row("types-in-a-file", does, ("data-json",), ways.spoiling({"data-json": ways.wrong_types}), sound, (27,))
    yield Row("dates", "writes dates that are none", ALL, ways.spoiling(odd.DATES), sound, (33,))
    places = ways.spoiling(odd.PLACES)
    yield Row("places", "writes geometries that are none", ALL, places, (*sound, true.EXPORTS), (34,))
    space = ways.one(lambda entry: replace(entry, files=("https://files.example/eau potable/<2024>|é.csv",)))
    written = tuple(kind for kind in ALL if kind not in ("dcat", "rdf-xml"))
    yield Row("spaces", "has addresses with spaces and brackets", written, space, (*sound, true.EXPORTS), (29,))
    unnamed = (*sound, true.NO_NODES, true.EXPORTS)
    does = "has empty nodes where names should be"
    yield Row("nodes", does, ("dcat", "rdf-xml"), ways.spoiling(odd.NODES), unnamed, (32,))
    does = "has a file name for the type of a resource"
    yield Row("resource-type", does, ("ckan",), ways.spoiling(odd.TYPES), sound, (26,))


def _texts(sound: tuple[Truth, ...]) -> Iterator[Row]:
    """Encodings, tags of languages, markup."""
    tagged = {
        "dcat": ways.with_body(b'"@fr', '"@français'.encode(), 3),
        "rdf-xml": ways.with_body(b'xml:lang="fr"', 'xml:lang="français"'.encode(), 3),
    }
    for kind, fault in tagged.items():
        after = (true.STAYS, true.EXPORTS)
        yield Row(f"language-tag-{kind}", "has language tags that are none", (kind,), fault, after, (4,))
    controls = (true.WHOLE, true.EXPORTS)
    does = "has control characters in every title"
    yield Row("control-characters", does, PAGED, ways.known("control-characters"), controls, (30,))
    whole = (true.WHOLE,)
    yield Row("wrong-charset", "declares Latin-1 as UTF-8", PAGED, ways.known("wrong-charset"), whole, (31,))
    yield Row("wrong-header", "declares UTF-8 as Latin-1", PAGED, ways.known("wrong-header"), whole, (31,))
    yield Row("byte-order-mark", "begins every answer with a byte order mark", ALL, ways.marked, whole, (31,))
    script = ways.one(lambda entry: replace(entry, text=f"<script>alert(1)</script><b onclick='x()'>{entry.text}</b>"))
    clean = (*sound, true.without("alert(1)"), true.without("onclick"))
    yield Row("script", "has a script in a description", ALL, script, clean)


ROWS: tuple[Row, ...] = (*_passing(), *_lasting(), *_lists(), *_contents())

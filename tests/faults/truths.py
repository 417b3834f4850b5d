"""What must be true after a portal misbehaved: a sentence for people, and how it is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyoxigraph as ox

from harvester import codes, export, held
from harvester.catalogue import queries
from harvester.errors import UsageError
from harvester.rdf.export import export as exported
from tests.faults.stage import Outcome, Play, bodies
from tests.faults.ways import SPOILT, fewer, renamed
from tests.faults.worlds import GONE, ORIGIN, entry

ENDED = ("succeeded", "partial", "failed", "held")
_IS_DATASET = (
    ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
    ox.NamedNode("http://www.w3.org/ns/dcat#Dataset"),
)
RDF = {
    "ttl": ox.RdfFormat.TURTLE,
    "rdf": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
}
_NODE_ID = re.compile(rb'"(?:_:|n[0-9a-f]{32}|[0-9a-f]{32}b\d+)')


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that must be true."""

    sentence: str
    check: Callable[[Play], None]


def always(play: Play) -> None:
    """What is true whatever a portal does."""
    then, known, fresh = play.outcome, play.known, play.fresh
    assert then.run.status == then.result.status
    assert then.run.status in ENDED
    assert then.run.ended_at is not None
    assert (then.source.failing_since is not None) == (then.run.status == "failed")
    # What the portal still has is there, under the name that it had.
    stays = known.shown.keys() & fresh.shown.keys()
    missing = {known.shown[guid][0] for guid in stays if guid not in then.shown}
    assert missing <= {key for key, _ in then.shown.values()} | play.excused, missing
    assert {guid for guid in stays & then.shown.keys() if then.shown[guid][0] != known.shown[guid][0]} == set()
    # Nothing is there twice.
    keys = [key for key, _ in then.shown.values()]
    assert len(set(keys)) == len(keys) == then.visible
    assert then.visible <= len(known.shown | fresh.shown)
    assert [problem.code for problem in then.problems if codes.explained(problem.code) is None] == []
    assert len(then.asked) <= 40 + 2 * play.kind.size


def recovers(play: Play, again: Outcome) -> None:
    """The portal behaves again: the catalogue is what a first harvest of it would have made."""
    assert (again.result.status, again.result.code) == ("succeeded", None), again.result.message
    assert bodies(again) == bodies(play.fresh)
    assert again.visible == play.fresh.visible
    lasting = play.known.shown.keys() & again.shown.keys()
    assert {guid for guid in lasting if again.shown[guid][0] != play.known.shown[guid][0]} == set()
    assert again.source.failing_since is None


def _shows_all(play: Play) -> None:
    assert play.outcome.result.status == "succeeded", play.outcome.result
    assert bodies(play.outcome) == bodies(play.fresh)


def _kept(play: Play) -> None:
    assert play.outcome.run.retired == 0
    assert {guid for guid in play.known.shown if guid not in play.outcome.shown} == set()
    strange = {
        guid
        for guid, body in bodies(play.outcome).items()
        if body not in (bodies(play.known).get(guid), bodies(play.fresh).get(guid))
    }
    assert strange == set()


WHOLE = Truth("the run succeeds and the catalogue is what the portal holds", _shows_all)
KEPT = Truth("nothing is retired or spoilt", _kept)


def failed(*expected: str) -> Truth:
    """The run failed with one of these codes, says why and where, and changed nothing for the worse."""

    def check(play: Play) -> None:
        result, run = play.outcome.result, play.outcome.run
        assert (result.status, run.status) == ("failed", "failed"), result
        assert result.code in expected
        found = [problem for problem in play.outcome.problems if problem.code == result.code]
        assert any(ORIGIN in (problem.url or problem.message) or "169.254" in problem.message for problem in found)
        assert run.message
        assert codes.remedy(result.code)
        _kept(play)

    return Truth(f"the run failed ({_either(expected)}), names the address, and nothing is retired", check)


def holds(*expected: str) -> Truth:
    """The run is held with one of these codes and names what would go; nothing went."""

    def check(play: Play) -> None:
        assert play.outcome.result.status == "held", play.outcome.result
        assert play.outcome.result.code in expected
        with play.stage.engine.connect() as connection:
            rows = held.would_go(connection, held.held(connection, play.outcome.run.id), limit=1000)
        assert rows
        assert all(row.guid in play.known.shown and row.title for row in rows)
        _kept(play)

    return Truth(f"the run is held ({_either(expected)}), what would go is listed by name, nothing goes", check)


def partly(*expected: str) -> Truth:
    """The run says that it is partial, with one of these codes or because records failed."""

    def check(play: Play) -> None:
        assert play.outcome.result.status == "partial", play.outcome.result
        assert (play.outcome.result.code or "") in (expected or ("",))

    why = _either(expected) if expected else "records failed"
    return Truth(f"the run is partial ({why})", check)


def either(first: Truth, second: Truth) -> Truth:
    """One of two truths: which one depends on where the fault strikes."""

    def check(play: Play) -> None:
        try:
            first.check(play)
        except (AssertionError, UsageError):
            second.check(play)

    return Truth(f"{first.sentence}, or {second.sentence}", check)


def told(*expected: str) -> Truth:
    """The report of the run holds one of these codes."""

    def check(play: Play) -> None:
        assert not play.outcome.codes.isdisjoint(expected), play.outcome.codes

    return Truth(f"the report says {_either(expected)}", check)


def _reported(play: Play) -> None:
    guid = play.kind.guid_of(SPOILT)
    found = [problem for problem in play.outcome.problems if problem.guid == guid]
    assert found, play.outcome.problems
    for problem in found:
        assert problem.message
        assert problem.field or problem.url
        assert codes.remedy(problem.code)


def _lost_one(play: Play) -> None:
    lost = {(p.code, p.message, p.url, p.field) for p in play.outcome.problems if p.severity == "error"}
    assert len(lost) == 1, play.outcome.problems
    code, message, url, field = lost.pop()
    assert message
    assert url or field
    assert codes.remedy(code)
    assert play.outcome.counts.get("failed")


def _others(play: Play) -> None:
    spoilt = {play.kind.guid_of(SPOILT)}
    gone = {play.kind.guid_of(number) for number in GONE}
    shown, fresh = bodies(play.outcome), bodies(play.fresh)
    assert {guid: shown.get(guid) for guid in fresh if guid not in spoilt} == {
        guid: body for guid, body in fresh.items() if guid not in spoilt
    }
    assert shown.keys() - fresh.keys() <= gone | spoilt


def _standing(play: Play) -> None:
    moving = {one.number for one in play.theatre.then} - {one.number for one in fewer(play.theatre.then)}
    restless = {play.kind.guid_of(number) for number in moving}
    shown, fresh = bodies(play.outcome), bodies(play.fresh)
    assert {guid: shown.get(guid) for guid in fresh if guid not in restless} == {
        guid: body for guid, body in fresh.items() if guid not in restless
    }


def _last_good(play: Play) -> None:
    guid = play.kind.guid_of(SPOILT)
    assert play.outcome.shown[guid] == play.known.shown[guid]


def _gone(play: Play) -> None:
    assert play.kind.guid_of(SPOILT) not in play.outcome.shown


def _shown(play: Play) -> None:
    assert play.kind.guid_of(SPOILT) in play.outcome.shown


def _mirrors(play: Play) -> None:
    assert bodies(play.outcome) == bodies(play.mirror)
    assert play.outcome.visible == play.mirror.visible


def _same_keys(play: Play) -> None:
    assert {key for key, _ in play.known.shown.values()} >= {
        key for guid, (key, _) in play.outcome.shown.items() if not _new(play, guid)
    }
    assert play.outcome.visible in (play.fresh.visible, len(play.known.shown | play.fresh.shown))


def _new(play: Play, guid: str) -> bool:
    numbers, names = (play.kind.size, play.kind.size + 1), ("", renamed(entry(0)).suffix)
    return guid in {play.kind.guid(play.kind.write(replace(entry(n), suffix=name))) for n in numbers for name in names}


def _quiet(play: Play) -> None:
    counted = play.outcome.counts
    changed = sum(body != bodies(play.known).get(guid) for guid, body in bodies(play.fresh).items())
    assert counted.get("updated", 0) + counted.get("created", 0) == changed, counted


def _quiet_but_one(play: Play) -> None:
    counted = play.outcome.counts
    changed = sum(body != bodies(play.known).get(guid) for guid, body in bodies(play.fresh).items())
    assert counted.get("updated", 0) + counted.get("created", 0) == changed + 1, counted


def _exported(play: Play) -> None:
    with play.stage.engine.connect() as connection:
        ids = [view.id for view in queries.visible_page(connection, limit=10_000)]
        entries = export.entries(connection, play.stage.settings, ids)
    about, numbers = export.info(play.stage.settings), dict[str, int]()
    for name, known in RDF.items():
        written = b"".join(exported(about, entries, name))
        nodes = {quad.subject for quad in ox.parse(written, known) if (quad.predicate, quad.object) == _IS_DATASET}
        numbers[name] = len(nodes)
    assert numbers == dict.fromkeys(RDF, play.outcome.visible)


def _no_nodes(play: Play) -> None:
    assert [body for _, body in play.outcome.shown.values() if _NODE_ID.search(body)] == []


def _at_home(play: Play) -> None:
    assert {request.origin for request in play.outcome.asked} <= {ORIGIN}


def _progress(play: Play) -> None:
    counted = play.outcome.counts
    assert sum(counted.get(name, 0) for name in ("created", "updated", "unchanged")) > 0


def holding(text: str) -> Truth:
    """The spoilt dataset is shown with this text."""

    def check(play: Play) -> None:
        assert text.encode() in bodies(play.outcome)[play.kind.guid_of(SPOILT)]

    return Truth(f"the dataset is shown with `{text}`", check)


def without(text: str) -> Truth:
    """Nothing that is shown holds this text."""

    def check(play: Play) -> None:
        assert [guid for guid, body in bodies(play.outcome).items() if text.encode() in body] == []

    return Truth(f"nothing is shown with `{text}`", check)


def at_most(length: int) -> Truth:
    """The spoilt dataset was trimmed."""

    def check(play: Play) -> None:
        assert len(bodies(play.outcome)[play.kind.guid_of(SPOILT)]) <= length

    return Truth(f"the dataset takes at most {length // 1000} kB", check)


def waited(least: float) -> Truth:
    """The portal was left alone for so long."""

    def check(play: Play) -> None:
        assert play.outcome.waited >= least

    return Truth(f"the portal is left alone for the {least:g} s it asks for", check)


def asked(most: int) -> Truth:
    """So few requests were made."""

    def check(play: Play) -> None:
        assert len(play.outcome.asked) <= most

    return Truth(f"at most {most} requests are made", check)


REPORTED = Truth("the record is reported with its identifier, the field or address, and what to do", _reported)
ONE_LOST = Truth("one record failed and is reported with its address or field, and what to do", _lost_one)
OTHERS = Truth("every other dataset is as the portal holds it", _others)
STANDING = Truth("every dataset that was there all the time is as the portal holds it", _standing)
LAST_GOOD = Truth("the dataset stays as it was last", _last_good)
GOES = Truth("the dataset goes", _gone)
STAYS = Truth("the dataset stays", _shown)
MIRRORS = Truth("the catalogue is what a first harvest of this portal makes", _mirrors)
SAME_KEYS = Truth("every dataset keeps its address and its history, and none is there twice", _same_keys)
QUIET = Truth("only what really changed counts as changed", _quiet)
QUIET_BUT_ONE = Truth("only that dataset and what really changed count as changed", _quiet_but_one)
EXPORTS = Truth("the export can be written and read in every format", _exported)
NO_NODES = Truth("no name of a blank node is stored", _no_nodes)
AT_HOME = Truth("no other host is asked", _at_home)
PROGRESS = Truth("what came before is kept", _progress)


def _either(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " or ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Names the truth that an assertion is about."""
    try:
        yield
    except (AssertionError, UsageError) as error:
        raise AssertionError(f"not true that {what}: {error}") from error


def check(play: Play, truths: tuple[Truth, ...]) -> None:
    """Every truth, each by its name when it does not hold."""
    with telling("what is there is kept, nothing is doubled, and the run says how it ended"):
        always(play)
    for truth in truths:
        with telling(truth.sentence):
            truth.check(play)

"""Finding the API of a CKAN and walking it to the end, also where its search is switched off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

from connectors.ckan import keys
from connectors.ckan.api import Api, result, speaks
from connectors.ckan.options import Options
from connectors.ckan.roots import candidates
from connectors.common import blank, first, introduced, mapping, refuse_vanishing, utc
from harvester.connector import Page, Recognised, Record, Source, Walk
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.fields.when import instant, when
from harvester.http import Answer, Http
from harvester.walks import Read, Slice, walk_changes, walk_offsets

NAME = "ckan"

# Each divides the one before.  Some portals cut bodies above 1.5 MB: 250 datasets stay below more often than not.
SIZES = (1000, 500, 250, 50, 10, 1)
_MOST_FAILURES = 5
_NAMES_A_PAGE = 50

SEARCH, CURRENT, SHOW = "package_search", "current_package_list_with_resources", "package_list"
_PROBES: dict[str, dict[str, str | int]] = {SEARCH: {"rows": 0}, CURRENT: {"limit": 1}, SHOW: {"limit": 1}}


@dataclass(frozen=True, slots=True)
class Found:
    """A CKAN that was found: its API, the action to walk it with, and the total it advertises."""

    api: Api
    action: str
    total: int | None = None


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """Every dataset of the portal; `since` needs a portal that can search, otherwise all are walked."""
    options = source.options if isinstance(source.options, Options) else Options()
    found = locate(http, source.url)
    yield from introduced(walk, _WALKS[found.action](found.api, options, walk), lambda: _about(found.api))


def _about(api: Api) -> dict[str, Any]:
    """What the portal says of itself.  Raises `SourceError`."""
    return portal(result(api.ask("status_show", {})))


def portal(status: Any) -> dict[str, Any]:
    """The fields of the catalogue that the answer to `status_show` fills."""
    said = mapping(status)
    return {field: first(said, *names) for field, names in keys.SITE.items()}


def recognise(http: Http, url: str) -> Recognised | None:
    """Whether there is a CKAN behind this address; look-alikes that answer its API count."""
    if not candidates(url):
        return None
    try:
        found = locate(http, url, patient=False)
    except Unavailable:
        raise
    except SourceError:
        return None
    status = _quiet(found.api, "status_show", {})
    sample = _quiet(found.api, SEARCH, {"rows": 1})
    packages = sample.get("results") if isinstance(sample, Mapping) else None
    title = status.get("site_title") if isinstance(status, Mapping) else None
    return Recognised(NAME, found.api.root, _text(title), found.total, _title_of(packages))


def locate(http: Http, url: str, *, patient: bool = True) -> Found:
    """The API behind any address of a portal.  Raises `SourceError` (`not-ckan`), or what the likeliest root said.

    `patient` asks the likeliest root again when it fails for the moment: a run should not end on one bad minute.
    """
    refusals: list[SourceError] = []
    for rank, root in enumerate(candidates(url)):
        api = Api(http, root)
        actions = tuple(_PROBES) if rank == 0 or root.count("/") == 2 else (SEARCH,)
        if found := _at(api, actions, refusals, patient=patient and rank == 0):
            return found
    telling = next((error for error in refusals if isinstance(error, Unavailable)), None)
    blocked = next((error for error in refusals if isinstance(error, Blocked)), None)
    raise telling or blocked or SourceError(f"no CKAN action API was found behind {url}", code="not-ckan", url=url)


def _at(api: Api, actions: tuple[str, ...], refusals: list[SourceError], *, patient: bool) -> Found | None:
    """The CKAN at this root, with the best action that it allows."""
    talks = False
    for action in actions:
        answer = _probed(api, action, refusals, patient=patient)
        if answer is None:
            return None
        talks = talks or speaks(answer)
        if usable := _usable(api, action, answer):
            return usable
        if not talks and action == SEARCH and answer.status not in (403, 404, 405, 410):
            return None
    return None


def _probed(api: Api, action: str, refusals: list[SourceError], *, patient: bool) -> Answer | None:
    """What the root answers, or None; what was wrong goes to `refusals`."""
    try:
        answer = api.ask(action, _PROBES[action])
        if patient and isinstance(answer.trouble(), Unavailable):
            answer = api.http.get(api.url(action), _PROBES[action])
    except SourceError as error:
        refusals.append(error)
        return None
    if trouble := answer.trouble():
        refusals.append(trouble)
    return answer


def _usable(api: Api, action: str, answer: Answer) -> Found | None:
    if not speaks(answer):
        return None
    try:
        said = result(answer)
    except SourceError:
        # A package_list that refuses `limit` is there all the same (catalog.data.gov).
        refused = action == SHOW and answer.status in (200, 400, 409) and b"limit" in answer.content
        return Found(api, action) if refused else None
    if action == SEARCH:
        return Found(api, action, _count(said)) if isinstance(said, Mapping) and "count" in said else None
    return Found(api, action) if isinstance(said, list) else None


def _quiet(api: Api, action: str, params: Mapping[str, str | int]) -> Any:
    """An action's result, or None: what embellishes a recognition must not prevent it."""
    try:
        return result(api.ask(action, params))
    except SourceError:
        return None


def _search(api: Api, options: Options, walk: Walk) -> Iterator[Page]:
    """Every dataset that the search finds, or those that changed."""

    def pages(since: datetime | None, cursor: str | None) -> Iterator[Page]:
        return walk_offsets(_searching(api, options, since), make_record, options.sizes(SIZES), cursor)

    def newest() -> Record | None:
        items = _searching(api, options, None, "metadata_modified desc")(0, 1).items
        return make_record(items[0]) if items else None

    return walk_changes(walk, partial(pages, walk.since), partial(pages, None), newest)


def _searching(api: Api, options: Options, since: datetime | None, sort: str = "id asc") -> Read:
    query: dict[str, str | int] = {"sort": sort}
    if clauses := options.clauses(since):
        query["fq"] = clauses

    def read(offset: int, limit: int) -> Slice:
        said = api.call(SEARCH, {**query, "rows": limit, "start": offset})
        total = _count(said) if isinstance(said, Mapping) else None
        if since is None and total == 0:
            _refuse_unknown(api, options)
        items = _items(said, "results", api.url(SEARCH))
        refuse_vanishing(len(items), total, offset)
        return Slice(items, total)

    return read


def _refuse_unknown(api: Api, options: Options) -> None:
    """CKAN answers a search in an organisation that does not exist with a good answer that is empty."""
    for kind, names in (("organization", options.organizations), ("group", options.groups)):
        for name in names:
            try:
                api.call(f"{kind}_show", {"id": name})
            except SourceError as error:
                if error.code != "ckan-not-found-error":
                    raise
                message = f"the portal has no {kind} named {name!r}"
                raise SourceError(message, code=f"unknown-{kind}", url=error.url, value=name) from error


def _refuse_filters(api: Api, options: Options) -> None:
    if options.clauses(None):
        message = "the search of this portal is switched off, so the options organizations, groups and fq cannot work"
        raise SourceError(message, code="no-search", url=api.root)


def _current(api: Api, options: Options, walk: Walk) -> Iterator[Page]:
    _refuse_filters(api, options)

    def read(offset: int, limit: int) -> Slice:
        said = api.call(CURRENT, {"limit": limit, "offset": offset})
        return Slice(_items({"results": said}, "results", api.url(CURRENT)))

    return walk_offsets(read, make_record, options.sizes(SIZES), walk.cursor)


def _show(api: Api, options: Options, walk: Walk) -> Iterator[Page]:
    """Each name of the list, shown one by one: DKAN, and portals with search switched off.

    A cursor holds as long as the list begins with the same names.
    """
    _refuse_filters(api, options)
    names = _items({"results": api.call(SHOW, {})}, "results", api.url(SHOW))
    trail, failures = Trail(names), 0
    for offset in range(trail.shown_already(walk.cursor), len(names), _NAMES_A_PAGE):
        records: list[Record] = []
        problems: list[RecordError] = []
        for name in names[offset : offset + _NAMES_A_PAGE]:
            try:
                records.append(_shown(api, str(name)))
                failures = 0
            except RecordError as error:
                failures += 1
                problems.append(error)
            if failures > _MOST_FAILURES:
                raise Unavailable(f"{failures} datasets in a row cannot be read: {problems[-1].message}", url=api.root)
        yield Page(tuple(records), len(names), trail.after(offset + _NAMES_A_PAGE), tuple(problems))


class Trail:
    """What a list of names begins with, hashed on from cursor to cursor: each name once, however long the list is."""

    def __init__(self, names: list[Any]) -> None:
        self._names = names
        self._number, self._hash = 0, blake2b(digest_size=16)

    def after(self, number: int) -> str:
        """The cursor after so many names, no fewer than before."""
        for name in self._names[self._number : number]:
            self._hash.update(f"{name}\n".encode("utf-8", "surrogatepass"))
        self._number = number
        return f"n{number}-{self._hash.hexdigest()}"

    def shown_already(self, cursor: str | None) -> int:
        """How many names stand before a cursor, if they are the same ones; else none."""
        found = re.fullmatch(r"n(\d{1,9})-[0-9a-f]+", cursor or "")
        if found is None or self.after(int(found[1])) == cursor:
            return self._number
        self._number, self._hash = 0, blake2b(digest_size=16)
        return 0


_WALKS = {SEARCH: _search, CURRENT: _current, SHOW: _show}


def _shown(api: Api, name: str) -> Record:
    """One dataset by its name; a name that shows nothing any more stands for a deleted one (dati.gov.it: 2,000)."""
    try:
        said = api.call("package_show", {"id": name})
    except SourceError as error:
        if error.code == "ckan-not-found-error":
            return Record(name, {"name": name}, deleted=True)
        raise RecordError(error.message, guid=name, code=error.code, url=error.url) from error
    # DKAN answers a list of one.
    return make_record(said[0] if isinstance(said, list) and said else said)


def make_record(item: Any) -> Record:
    """A package as a record; `deleted` for drafts, deleted and private ones, and for what is no dataset."""
    if not isinstance(item, Mapping):
        raise RecordError("a CKAN package is a JSON object", code="not-an-object", value=str(item)[:80])
    guid = _text(item.get("id")) or _text(item.get("name"))
    if guid is None:
        raise RecordError("the package has neither id nor name", code="no-guid", field="id")
    return Record(guid, item, instant(when(utc(item.get("metadata_modified")))), deleted=not wanted(item))


def wanted(package: Mapping[str, Any]) -> bool:
    """Whether a package is a public dataset in use.

    DKAN says `private: true` of public data and writes its states and types with a capital.
    """
    state, kind = package.get("state"), package.get("type")
    if isinstance(state, str) and not blank(state) and state.strip().lower() != "active":
        return False
    if isinstance(kind, str) and kind.strip().lower() in keys.NOT_DATASETS:
        return False
    return package.get("private") is not True or state == "Active"


def _items(said: Any, member: str, url: str) -> list[Any]:
    """The list in a result; anything else would look like the end of the catalogue."""
    items = said.get(member) if isinstance(said, Mapping) else None
    if not isinstance(items, list):
        raise Unavailable("the result holds no list of datasets", code="no-result", url=url)
    return items


def _count(said: Mapping[str, Any]) -> int | None:
    try:
        return int(said["count"])
    except (KeyError, TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    found = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return found or None


def _title_of(packages: Any) -> str | None:
    package = packages[0] if isinstance(packages, list) and packages else None
    title = package.get("title") or package.get("name") if isinstance(package, Mapping) else None
    values = title.values() if isinstance(title, Mapping) else (title,)
    return next((text for value in values if (text := _text(value))), None)

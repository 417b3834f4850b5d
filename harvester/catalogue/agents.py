"""Who publishes each dataset, kept up to date along the change log: writes.  Callers own the transaction.

A new face of a publisher is compared with those that it shares a key with, and they with theirs: the cost is that of
its neighbourhood, and the outcome the same in whatever order faces come.
"""

from __future__ import annotations

import unicodedata
from base64 import b32encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from harvester.agents import RULES, Face, Group, face_of, grouped
from harvester.agents.grouping import Key, keys
from harvester.catalogue import forms, walking
from harvester.catalogue.database import in_turn
from harvester.catalogue.following import Follower
from harvester.catalogue.tables import agent_keys, agent_names, agents, changes, datasets, published, records, sources
from harvester.catalogue.trusted import trusted_as
from harvester.fields.languages import preferred
from harvester.model import Agent

_CHUNK = 500
# A key of more faces than this says nothing, and a neighbourhood does not grow beyond this.
MOST_HOLDERS = 1000
MOST_FACES = 5000


class Known(NamedTuple):
    """A face as it is stored."""

    id: int
    agent_id: int | None
    face: Face
    pin: str | None


def apply(connection: Connection, dataset_ids: Sequence[int], now: datetime) -> None:
    """Note under which name each of these datasets is published; new names find their agents."""
    in_turn(connection)
    faces = _shown(connection, dataset_ids)
    known = _ids(connection, {face.digest for face in faces.values()})
    new = {face.digest: face for face in faces.values() if face.digest not in known}
    if new:
        known |= _added(connection, list(new.values()), now)
        regroup(connection, [known[digest] for digest in new], now)
    _note(connection, dataset_ids, {i: known[face.digest] for i, face in faces.items()}, faces, now)


FOLLOWER = Follower("agents", apply, RULES)


def _shown(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, Face]:
    """dataset id -> the face of its publisher, of the visible ones that have one."""
    visible = walking.shown(connection, dataset_ids)
    told = forms.told(connection, [row.id for row in visible])
    by_record = {
        row.id: told[row.id].fields.get("publisher", row.record_id) if row.id in told else row.record_id
        for row in visible
    }
    homes = _homes(connection, set(by_record.values()))
    found: dict[int, Face] = {}
    for row in visible:
        said = walking.stored(row.blob).get("publisher")
        name, home = homes[by_record[row.id]]
        face = face_of(trusted_as(Agent, said), name, home) if said else None
        if face is not None:
            found[row.id] = face
    return found


def _homes(connection: Connection, record_ids: set[int]) -> dict[int, tuple[str, str]]:
    """record id -> its source, and the address under which people know the portal."""
    found: dict[int, tuple[str, str]] = {}
    columns = (records.c.id, sources.c.name, sources.c.url, sources.c.options)
    for part in _pieces(sorted(record_ids)):
        joined: Select[Any] = (
            select(*columns).join(sources, sources.c.id == records.c.source_id).where(records.c.id.in_(part))
        )
        found |= {row.id: (row.name, forms.home(row)) for row in connection.execute(joined)}
    return found


def _ids(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for part in _pieces(sorted(digests)):
        rows = select(agent_names.c.digest, agent_names.c.id).where(agent_names.c.digest.in_(part))
        found |= {row.digest: row.id for row in connection.execute(rows)}
    return found


def _added(connection: Connection, faces: Sequence[Face], now: datetime) -> dict[bytes, int]:
    rows = [
        {
            "digest": face.digest,
            "source": face.source,
            "text": (text := _text(face)),
            "folded": folded(" ".join([text, *(t for _, t in face.texts)])),
            "face": _packed(face),
            "first_seen_at": now,
        }
        for face in sorted(faces, key=lambda face: face.digest)
    ]
    connection.execute(insert(agent_names), rows)
    ids = _ids(connection, [face.digest for face in faces])
    held = [{"key": key, "name_id": ids[face.digest]} for face in faces for key in _hashed(face)]
    if held:
        connection.execute(insert(agent_keys), held)
    return ids


def regroup(connection: Connection, name_ids: Iterable[int], now: datetime) -> None:
    """Let these faces, and all that are near them, be of the agents that they are of."""
    known = neighbourhood(connection, name_ids)
    by_digest = {each.face.digest: each for each in known}
    groups = grouped([each.face for each in known], pins(known))
    held = {each.agent_id for each in known if each.agent_id is not None}
    rows = {row.id: row for row in connection.execute(select(agents).where(agents.c.id.in_(held)))} if held else {}
    homes = _homes_of(groups, by_digest, {row.id: row.key for row in rows.values()})
    moved: list[int] = []
    for group, home in zip(groups, homes, strict=True):
        agent_id = home if home is not None else _founded(connection, group, now)
        moved += _settled(connection, group, by_digest, agent_id, rows.get(agent_id))
    ended = held - {home for home in homes if home is not None}
    _end(connection, ended, {each.agent_id: each.id for each in known if each.agent_id in ended})
    _log(connection, moved, now)


def neighbourhood(connection: Connection, name_ids: Iterable[int]) -> list[Known]:
    """These faces and all that they share keys with, and so on."""
    found: dict[int, Known] = {}
    seen: set[int] = set()
    wave = set(name_ids)
    while wave and len(found) < MOST_FACES:
        new = _known(connection, wave)
        found |= {each.id: each for each in new}
        reached = {key for each in new for key in _hashed(each.face)} - seen
        seen |= reached
        same = {each.agent_id for each in new if each.agent_id is not None}
        wave = (_holders(connection, reached) | _members(connection, same)) - found.keys()
    return sorted(found.values(), key=lambda each: each.face.digest)


def pins(known: Iterable[Known]) -> dict[bytes, str]:
    """What people decided about these faces."""
    return {each.face.digest: each.pin for each in known if each.pin is not None}


def _holders(connection: Connection, wanted: set[int]) -> set[int]:
    found: set[int] = set()
    for part in _pieces(sorted(wanted)):
        crowd = select(agent_keys.c.key).where(agent_keys.c.key.in_(part)).group_by(agent_keys.c.key)
        few = list(connection.execute(crowd.having(func.count() <= MOST_HOLDERS)).scalars())
        found |= set(connection.execute(select(agent_keys.c.name_id).where(agent_keys.c.key.in_(few))).scalars())
    return found


def _members(connection: Connection, agent_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for part in _pieces(sorted(agent_ids)):
        found |= set(connection.execute(select(agent_names.c.id).where(agent_names.c.agent_id.in_(part))).scalars())
    return found


def _known(connection: Connection, name_ids: Iterable[int]) -> list[Known]:
    columns = (agent_names.c.id, agent_names.c.agent_id, agent_names.c.face, agent_names.c.pin)
    return [
        Known(row.id, row.agent_id, unpacked(row.face), row.pin)
        for part in _pieces(sorted(name_ids))
        for row in connection.execute(select(*columns).where(agent_names.c.id.in_(part)))
    ]


def _homes_of(groups: Sequence[Group], known: Mapping[bytes, Known], keys_of: Mapping[int, str]) -> list[int | None]:
    """The agent that each group goes on as: the one a person named, else the oldest of those that are most its own."""
    bids: list[tuple[bool, int, int, int]] = []
    for number, group in enumerate(groups):
        mine = [known[face.digest] for face in group.faces]
        said = {each.pin for each in mine}
        held = Counter(each.agent_id for each in mine if each.agent_id is not None)
        bids += [(keys_of[i] not in said, -count, i, number) for i, count in held.items()]
    taken: set[int] = set()
    won: dict[int, list[tuple[bool, int]]] = {}
    for unsaid, _, agent_id, number in sorted(bids):
        if agent_id not in taken:
            taken.add(agent_id)
            won.setdefault(number, []).append((unsaid, agent_id))
    return [min(won[number])[1] if number in won else None for number in range(len(groups))]


def _founded(connection: Connection, group: Group, now: datetime) -> int:
    """A new agent, or the one that ended and comes back; its key is made of its first face."""
    for face in group.faces:
        key = key_of(face.digest)
        row = connection.execute(select(agents).where(agents.c.key == key)).one_or_none()
        if row is None:
            return _inserted(connection, key, now)
        if row.merged_into_id is not None:
            return int(row.id)
    raise RuntimeError(f"every key of the agent of {group.faces[0].digest.hex()} is another's")


def key_of(digest: bytes) -> str:
    """The public key of the agent that a face founds."""
    return b32encode(blake2b(digest, digest_size=10).digest()).decode().lower()


def _inserted(connection: Connection, key: str, now: datetime) -> int:
    row = {"key": key, "name": "", "names": {}, "identifiers": [], "first_seen_at": now}
    inserted = connection.execute(insert(agents).values(**row)).inserted_primary_key
    if inserted is None:
        raise RuntimeError("the database gave no key to a new row")
    return int(inserted[0])


def _settled(
    connection: Connection, group: Group, known: Mapping[bytes, Known], agent_id: int, row: Row[Any] | None
) -> list[int]:
    """Write what an agent is; answers the faces whose datasets are shown otherwise from now on."""
    mine = [known[face.digest] for face in group.faces]
    new = [each.id for each in mine if each.agent_id != agent_id]
    for part in _pieces(new):
        connection.execute(update(agent_names).where(agent_names.c.id.in_(part)).values(agent_id=agent_id))
    # A name that a person gave an agent does not change what it is called.
    kept = row is not None and (row.named_by is not None or any(each.pin for each in mine))
    name = row.name if row is not None and kept and row.name else label(group.faces)
    numbers = sorted({number for face in group.faces for number in face.numbers})
    facts = {
        "name": name,
        "names": _names(group.faces),
        "identifiers": [list(n) for n in numbers],
        "merged_into_id": None,
    }
    connection.execute(update(agents).where(agents.c.id == agent_id).values(**facts))
    return new if row is not None and row.name == name else [each.id for each in mine]


def renamed(connection: Connection, agent_id: int, now: datetime) -> None:
    """Show an agent's datasets under its name, which a person has chosen or given up."""
    known = _known(connection, _members(connection, {agent_id}))
    row = connection.execute(select(agents).where(agents.c.id == agent_id)).one()
    if row.named_by is None:
        named = update(agents).where(agents.c.id == agent_id)
        connection.execute(named.values(name=label([each.face for each in known])))
    _log(connection, [each.id for each in known], now)


def _end(connection: Connection, ended: set[int], last: Mapping[int | None, int]) -> None:
    """Agents that turned out to be others point there; their keys answer for ever."""
    for agent_id in sorted(ended):
        home = select(agent_names.c.agent_id).where(agent_names.c.id == last[agent_id]).scalar_subquery()
        connection.execute(update(agents).where(agents.c.id == agent_id).values(merged_into_id=home))
        chained = update(agents).where(agents.c.merged_into_id == agent_id)
        connection.execute(chained.values(merged_into_id=home))


def label(faces: Sequence[Face]) -> str:
    """What an agent is called: as most faces call it, in full, with capitals and accents."""
    texts = [(face, _text(face)) for face in faces]
    votes = Counter(folded(text) for _, text in texts)
    return max((text for _, text in texts), key=lambda t: (votes[folded(t)], t != t.upper(), len(t), t))


def folded(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _text(face: Face) -> str:
    return preferred(dict(face.texts)) or next(iter(face.identifiers), face.uri)


def _names(faces: Sequence[Face]) -> dict[str, str]:
    """By language, as most faces say."""
    votes = Counter(found for face in faces for found in face.texts)
    best: dict[str, str] = {}
    for (tag, text), _ in sorted(votes.items(), key=lambda pair: (-pair[1], pair[0])):
        best.setdefault(tag, text)
    return best


def _note(
    connection: Connection,
    dataset_ids: Sequence[int],
    names: Mapping[int, int],
    faces: Mapping[int, Face],
    now: datetime,
) -> None:
    """Which name each dataset has; a dataset that is shown under another name than its own is told to the index."""
    before: dict[int, int] = {}
    for part in _pieces(sorted(dataset_ids)):
        rows = connection.execute(select(published).where(published.c.dataset_id.in_(part)))
        before |= {row.dataset_id: row.name_id for row in rows}
    changed = [i for i in dataset_ids if before.get(i) != names.get(i)]
    for part in _pieces(changed):
        connection.execute(delete(published).where(published.c.dataset_id.in_(part)))
    new = [{"dataset_id": i, "name_id": names[i]} for i in changed if i in names]
    if new:
        connection.execute(insert(published), new)
    shown = _labels(connection, {names[i] for i in changed if i in names})
    differ = [i for i in changed if i in names and (i in before or shown[names[i]] != _text(faces[i]))]
    _log_datasets(connection, differ, now)


def _labels(connection: Connection, name_ids: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    joined = select(agent_names.c.id, agents.c.name).join(agents, agents.c.id == agent_names.c.agent_id)
    for part in _pieces(sorted(name_ids)):
        found |= {row.id: row.name for row in connection.execute(joined.where(agent_names.c.id.in_(part)))}
    return found


def _log(connection: Connection, name_ids: Sequence[int], now: datetime) -> None:
    """The datasets of these names are shown otherwise from now on."""
    for part in _pieces(sorted(name_ids)):
        ids = select(published.c.dataset_id).where(published.c.name_id.in_(part))
        _log_datasets(connection, list(connection.execute(ids).scalars()), now)


def _log_datasets(connection: Connection, dataset_ids: Sequence[int], now: datetime) -> None:
    shown: dict[int, int | None] = {}
    for part in _pieces(sorted(dataset_ids)):
        wanted = select(datasets.c.id, datasets.c.record_id).where(datasets.c.id.in_(part))
        shown |= {row.id: row.record_id for row in connection.execute(wanted)}
    rows = [{"dataset_id": i, "record_id": r or 0, "action": "updated", "at": now} for i, r in shown.items()]
    if rows:
        connection.execute(insert(changes), rows)


def _hashed(face: Face) -> set[int]:
    return {_hash(key) for key in keys(face)}


def _hash(key: Key) -> int:
    mark = blake2b("\x00".join((key.kind, *key.value)).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(mark, signed=True)


def _packed(face: Face) -> dict[str, Any]:
    return {
        "source": face.source,
        "home": face.home,
        "texts": [list(pair) for pair in face.texts],
        "identifiers": list(face.identifiers),
        "uri": face.uri,
        "homepage": face.homepage,
        "mail": face.mail,
    }


def unpacked(raw: Mapping[str, Any]) -> Face:
    """The face that was stored."""
    texts = tuple((tag, text) for tag, text in raw["texts"])
    return Face(**{**raw, "texts": texts, "identifiers": tuple(raw["identifiers"])})


def _pieces(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))

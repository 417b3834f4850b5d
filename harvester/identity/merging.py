"""The one dataset that several records describe: each field from the best record, and which one that is.  Pure.

The original comes first, then the record that fills most fields, then the one modified last.  A field is one record's,
never a mixture, with two exceptions that are told: languages that the best record lacks, and files in formats that it
does not offer.  Its other files are the portal's word: what only a copy lists is old, renamed, or a conversion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvester.identity.hosts import canonical_url
from harvester.identity.originals import Stated, Verdict, judged
from harvester.model import Dataset, Distribution

# A change of the rules below, or of those of `originals`.
RULES = 1
# They belong to a record, not to the dataset: of a copy they would say that the dataset comes from itself.
PERSONAL = frozenset(("kind", "uri", "identifier", "other_identifier", "source", "record"))
_FIELDS = tuple(name for name in Dataset.model_fields if name != "problems")
_COMMON = tuple(name for name in _FIELDS if name not in PERSONAL and name != "distribution")
_COUNTED = frozenset((*_COMMON, "distribution"))
# What one record says in several fields: the conditions of another one would contradict them.
_TOGETHER = (("license", "rights"), ("version", "version_notes"))
_ALONE = tuple((name,) for name in _COMMON if name not in sum(_TOGETHER, ()))
# BCP 47, extension T: translated by a machine, as data.europa.eu does.
_TRANSLATED = "-t-"
# A record that offers a hundred formats is hostile.
_MOST_FORMATS = 40


@dataclass(frozen=True)
class Merged:
    """The dataset, and field -> the record it is from; `title@en` is a language of another one, `distribution:CSV` a
    format; `verdict` says which record is the original."""

    dataset: Dataset
    shown: int
    fields: Mapping[str, int]
    verdict: Verdict


def merged(records: Sequence[Stated]) -> Merged:
    """What the records (at least one) say of their dataset; in whatever order they come."""
    verdict = judged(records)
    ranked = _ranked(records, verdict.original)
    best = ranked[0]
    values: dict[str, Any] = {}
    fields = {name: best.record_id for name in _FIELDS if name != "kind" and name in best.filled}
    said = frozenset().union(*(record.filled for record in ranked))
    for names in _TOGETHER + _ALONE:
        if not said.isdisjoint(names):
            _fill(names, ranked, values, fields)
    _distribute(ranked, values, fields)
    dataset = best.dataset.model_copy(update=values) if values else best.dataset
    return Merged(dataset, best.record_id, fields, verdict)


def _ranked(records: Sequence[Stated], original: int | None) -> list[Stated]:
    """The records that count, the best one first; what repeats our own export counts only where nothing else does."""
    said = [record for record in records if not record.loop] or list(records)
    # Two sorts: the later the better, and then the smaller the better.
    said.sort(key=lambda r: (r.source, r.guid, r.record_id))
    said.sort(key=lambda r: (r.record_id == original, *_worth(r)), reverse=True)
    return said


def _worth(record: Stated) -> tuple[int, str]:
    """How many fields it fills, and when it was modified."""
    return len(record.filled & _COUNTED), str(record.dataset.modified or "")


def _fill(names: Sequence[str], ranked: Sequence[Stated], values: dict[str, Any], fields: dict[str, int]) -> None:
    holder = next(record for record in ranked if not record.filled.isdisjoint(names))
    for name in names:
        value = getattr(holder.dataset, name)
        if value and holder is not ranked[0]:
            values[name] = value
            fields[name] = holder.record_id
        # Texts without a language may be in any of those that others have.
        if value and isinstance(value, dict) and "" not in value:
            more = _languages(name, value, ranked)
            values |= {name: value | {tag: getattr(r.dataset, name)[tag] for tag, r in more.items()}} if more else {}
            fields |= {f"{name}@{tag}": record.record_id for tag, record in more.items()}


def _languages(name: str, value: Mapping[str, Any], ranked: Sequence[Stated]) -> dict[str, Stated]:
    """Language -> the first record that has a text in it which is not there yet in another one."""
    found: dict[str, Stated] = {}
    known = {_plain(text) for text in value.values()}
    for record in (record for record in ranked if name in record.filled):
        for tag, text in getattr(record.dataset, name).items():
            if tag and tag not in value and tag not in found and _TRANSLATED not in tag and _plain(text) not in known:
                found[tag] = record
                known.add(_plain(text))
    return found


def _plain(text: Any) -> str:
    return " ".join(str(text).casefold().split())


def _distribute(ranked: Sequence[Stated], values: dict[str, Any], fields: dict[str, int]) -> None:
    """The distributions of the best record that has any, and those of others in formats that it does not offer."""
    holders = [record for record in ranked if "distribution" in record.filled]
    if not holders:
        return
    first, *others = holders
    parts = list(first.dataset.distribution)
    formats = {_format(part) for part in parts}
    addresses = {address for part in parts for address in _addresses(part)}
    fields["distribution"] = first.record_id
    for record in others:
        new = [part for part in record.dataset.distribution if _news(part, formats, addresses)]
        for part in new:
            fields.setdefault(f"distribution:{_format(part)}", record.record_id)
        parts += new
        formats |= {_format(part) for part in new}
        addresses |= {address for part in new for address in _addresses(part)}
        if len(formats) > _MOST_FORMATS:
            break
    if first is not ranked[0] or len(parts) > len(first.dataset.distribution):
        values["distribution"] = tuple(parts)


def _news(part: Distribution, formats: set[str], addresses: set[str]) -> bool:
    offered = _format(part)
    return bool(offered) and offered not in formats and not addresses.intersection(_addresses(part))


def _format(part: Distribution) -> str:
    """The code of the format where it is a known one, else nothing: texts of all kinds stand there."""
    term = part.format
    return term.uri.rpartition("/")[2] if term is not None and term.uri else ""


def _addresses(part: Distribution) -> list[str]:
    return [canonical_url(address) for address in part.download_url or part.access_url]

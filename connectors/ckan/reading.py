"""One flat view of a CKAN object: custom fields stand at the top (scheming) or in `extras`, in several shapes."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from connectors.common import blank, listed
from harvester.jsonio import loads

Found = dict[str, Any]

_JOINTS = re.compile(r"[\s\-.:]+")
# Solr prefixes extras, ckanext-dcat once prefixed its keys; `dcat_type` is a key of its own.
_PREFIX = re.compile(r"extras_|dcat_(?!type$)")
# What a converter writes when it takes the label of an RDF blank node for a value.
_NODE = re.compile(r"(?:_:.*|n[0-9a-f]{32}b\d+)")
# Of the 24 official languages of the Union and some of their neighbours; `id`, `is` and `no` are words of keys.
_LANGUAGES = (
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mt", "nl"),
    *("pl", "pt", "ro", "sk", "sl", "sv", "ca", "cy", "eu", "gl", "lb", "mk", "nb", "nn", "rm", "ru", "sq", "sr"),
    *("tr", "uk", "ar", "he", "ja", "ko", "zh"),
)
_EXTRAS = ("extras", "__extras")
_LONGEST_JSON = 2_000_000
_OPENING = frozenset("[{ \t\r\n")
# The first characters of texts that may say nothing, or name a blank node.
_DOUBTFUL = frozenset(' \t\r\n\xa0"[{nNuU_')


@lru_cache(maxsize=2_048)
def folded(key: str) -> str:
    """A key in one spelling: lower case, no accents, underscores ("Frequência de atualização", "contact-email")."""
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode() if not key.isascii() else key
    return _PREFIX.sub("", _JOINTS.sub("_", plain.strip().lower()), count=1)


def flat(thing: Any) -> Found:
    """Everything an object says, by folded key; the top level wins over `extras`."""
    found: Found = {}
    if isinstance(thing, dict):
        _gather(found, thing.items())
        for name in _EXTRAS:
            if extras := thing.get(name):
                _gather(found, _extras(extras))
    return found


def _gather(found: Found, pairs: Iterable[tuple[Any, Any]]) -> None:
    """Add what is said under keys not met before.  This loop meets every value of every resource: it is kept flat."""
    for key, value in pairs:
        if type(value) is str:
            if not value or (value[0] in _DOUBTFUL and (blank(value) or _NODE.fullmatch(value))):
                continue
        elif value is None or (not value and blank(value)):
            continue
        if type(key) is str and key not in _EXTRAS:
            found.setdefault(folded(key), value)


def _extras(extras: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(extras, dict):
        return extras.items()
    items = extras if isinstance(extras, list) else ()
    return [(item.get("key"), item.get("value")) for item in items if isinstance(item, dict)]


def decoded(value: Any) -> Any:
    """The list or object that a JSON text holds; anything else as it is.  DKAN escapes the quotes as HTML does."""
    if not isinstance(value, str) or value[:1] not in _OPENING or len(value) > _LONGEST_JSON:
        return value
    if not value.lstrip().startswith(("[", "{")):
        return value
    for text in (value, html.unescape(value)):
        try:
            return loads(text)
        except ValueError:
            continue
    return value


def one(found: Mapping[str, Any], *keys: str) -> Any:
    """What the first of these keys says, JSON text decoded; None when none says anything."""
    for key in keys:
        if (said := found.get(key)) is not None:
            value = decoded(said)
            if value is said or not blank(value):
                return value
    return None


def lone(found: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> Found:
    """The fields of a table about which something is said, each as `one` of its keys says."""
    known = found.keys()
    return {
        field: said
        for field, keys in fields.items()
        if not known.isdisjoint(keys) and (said := one(found, *keys)) is not None
    }


def every(found: Mapping[str, Any], *keys: str) -> list[Any]:
    """All that these keys say, in one list."""
    items: list[Any] = []
    for key in keys:
        if (said := found.get(key)) is not None:
            items += listed(decoded(said))
    return items


def translated(found: Mapping[str, Any], *keys: str) -> Any:
    """A text by language: fluent's `title_translated`, keys such as `title-fr`, the plain `title` if it adds one."""
    plain, by_language = one(found, *keys), localised(found, *keys)
    for key in keys:
        said = one(found, name) if (name := f"{key}_translated") in found else None
        by_language = {**by_language, **said} if isinstance(said, dict) else by_language
    if not by_language:
        return plain
    if isinstance(plain, dict):
        return {**plain, **by_language}
    return by_language if blank(plain) or plain in by_language.values() else {**by_language, "": plain}


def localised(found: Mapping[str, Any], *keys: str) -> Found:
    """language -> what a key with its code says ("title-fr", "notes_nl"); of several keys the first."""
    met = _suffixed(keys)
    known = found.keys() & met.keys()
    return {met[name]: one(found, name) for name in sorted(known, key=list(met).index)[::-1]} if known else {}


@lru_cache(maxsize=64)
def _suffixed(keys: tuple[str, ...]) -> dict[str, str]:
    return {f"{key}_{language}": language for key in keys for language in _LANGUAGES}

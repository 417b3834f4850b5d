"""What a tree says, made ready for the model: licences where DCAT-AP wants them, formats from all there is to go by."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from connectors.filing import filed
from harvester.fields.terms import Term, matched, term
from harvester.rdf.reading import read
from harvester.rdf.trees import Tree

_FORMATS = {
    "format": "file-type",
    "media_type": "media-type",
    "compress_format": "media-type",
    "package_format": "media-type",
}


def raw_of(tree: Tree) -> dict[str, Any]:
    """The raw values of a dataset, its distributions completed."""
    raw = read(tree)
    raw.setdefault("license", _licence(raw))
    for distribution in raw.get("distribution", ()):
        licence = distribution.get("license") or _licence(distribution) or raw["license"]
        distribution["license"] = licence
        distribution.update(_filed(distribution))
    return raw


def _licence(raw: dict[str, Any]) -> Any:
    """A licence that stands among the rights, where Opendatasoft and older profiles put it."""
    for said in _listed(raw.get("rights")):
        text = said["@value"] if isinstance(said, dict) else said
        if (found := term("licence", text)) and matched("licence", found):
            return text
    return None


def _filed(distribution: dict[str, Any]) -> dict[str, Term]:
    """The formats that file name, media type and format tell together, where the feed's own word is not enough."""
    urls = [*_listed(distribution.get("download_url")), *_listed(distribution.get("access_url"))]
    said, kind = _said(distribution.get("format")), _said(distribution.get("media_type"))
    known, _ = filed(said, kind, next((url for url in urls if isinstance(url, str)), None))
    found: dict[str, Term] = {}
    for field, vocabulary in _FORMATS.items():
        if (better := known.get(field)) is None:
            continue
        own = term(vocabulary, distribution.get(field)) if distribution.get(field) else None
        uri = better.uri if isinstance(better, Term) else better
        if isinstance(uri, str) and "://" in uri and not (own and _is_matched(vocabulary, own)):
            found[field] = Term(own.text if own else uri, uri)
    return found


@lru_cache(maxsize=4096)
def _is_matched(vocabulary: str, own: Term) -> bool:
    return matched(vocabulary, own)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [] if found is None else [found]


def _said(hints: Any) -> Any:
    return hints[0] if isinstance(hints, list) and hints else hints

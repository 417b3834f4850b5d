"""The measure of judging reads labelled sets of any shape, and counts rightly."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bench.identity import main
from bench.identity_records import labelled, named, record_ids, signs_from

TEXT = (
    "Localisation des arbres d'alignement et des arbres remarquables, relevés par les espaces verts, avec le "
    "genre, l'espèce, la circonférence, la hauteur et l'année de plantation de chacun des arbres de la commune."
)


def written(path: Path, rows: Iterable[Any], *, packed: bool = False) -> Path:
    text = "\n".join(json.dumps(row) for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


def test_figures_are_counted_rightly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = written(
        tmp_path / "records.jsonl.gz",
        [
            {
                "iri": "http://a.example/1",
                "title": {"fr": "Arbres"},
                "description": {"fr": TEXT},
                "publisher": "Ville de Metz",
            },
            {
                "iri": "http://b.example/1",
                "title": {"fr": "Arbres"},
                "description": {"fr": TEXT},
                "publisher": "Ville de Metz",
            },
            {
                "iri": "http://b.example/2",
                "title": {"fr": "Budget"},
                "description": {"fr": "x"},
                "publisher": "Ville de Metz",
            },
        ],
        packed=True,
    )
    pairs = written(
        tmp_path / "pairs.jsonl",
        [
            {"a": "http://a.example/1", "b": "http://b.example/1", "label": 1},
            {"a": "http://a.example/1", "b": "http://b.example/2", "label": 1},
            {"a": "http://b.example/1", "b": "http://b.example/2", "label": 0},
            {"a": "http://b.example/1", "b": "http://nowhere.example", "label": 0},
        ],
    )
    main([str(pairs), str(records), "--hide-urls"])
    said = capsys.readouterr().out
    assert re.search(r"^same +precision 1\.0000 +recall 0\.5000 +F1 0\.6667$", said, re.MULTILINE)
    assert "1 pairs left out" in said
    assert "recall of the blocks: 1/2" in said
    assert "the same and not joined: 1" in said
    assert "budget (ville de metz)" in said


@pytest.mark.parametrize(
    ("pair", "sides", "relation"),
    [
        ({"a": "1", "b": "2", "label": 1}, ["1", "2"], "same"),
        ({"left": "1", "right": "2", "label": 0}, ["1", "2"], "different"),
        ({"id_a": 1, "id_b": 2, "relation": "related", "label": 0}, ["1", "2"], "related"),
        ({"id1": "1", "id2": "2", "match": True}, ["1", "2"], "same"),
        ({"a": {"source": "x", "id": "1"}, "b": ["y", "2"], "label": "different"}, ["x\x001", "y\x002"], "different"),
        ({"a": "1", "b": "2", "source_a": "x", "source_b": "y", "label": "duplicate"}, ["x\x001", "y\x002"], "same"),
        ({"a": "1", "b": "2"}, ["1", "2"], None),
        ({"a": {"title": "t"}, "b": {"title": "u"}, "label": 1}, [{"title": "t"}, {"title": "u"}], "same"),
    ],
)  # fmt: skip
def test_pairs_of_every_shape(pair: dict[str, Any], sides: list[Any], relation: str | None) -> None:
    assert (named(pair), labelled(pair)) == (sides, relation)


@pytest.mark.parametrize(
    ("raw", "portal"),
    [
        ({"source": "scotland", "portal": "angus", "id": "1", "title": "t"}, "angus"),
        ({"source": "belgium", "id": "http://data.gov.example/dataset/1", "title": "t"}, "data.gov.example"),
        ({"source": "harvested", "id": "1", "title": "t"}, ""),
        ({"source": "https://data.angus.example/", "id": "1", "title": "t"}, "data.angus.example"),
    ],
    ids=["portal", "address", "nowhere", "source"],
)  # fmt: skip
def test_an_origin_of_many_portals_is_none_of_them(raw: dict[str, Any], portal: str) -> None:
    assert signs_from(raw, True).source == portal


RECORDS: list[dict[str, Any]] = [
    {
        "iri": "http://x.example/1",
        "title": {"fr": "Eau"},
        "publisher": [{"iri": "http://o.example", "name": {"fr": ["Metz", "Ville"]}}],
    },
    {
        "source": "s",
        "id": "1",
        "title": "Eau",
        "publisher": "Metz ; Metz Ville",
        "url": "https://x.example/d",
        "envelope": "ENVELOPE(1,2,4,3)",
    },
    {
        "id": "1",
        "title": "Eau",
        "organization": "Metz",
        "resources": [{"url": "http://x.example/a", "checksum": {"type": "sha1", "value": "9" * 40}}],
    },
    {
        "id": "1",
        "name": "Eau",
        "owner": {"title": "Metz"},
        "distributions": ["http://x.example/a"],
        "temporal": ["2019"],
    },
    {
        "id": "1",
        "slug": "eau",
        "title": "Eau",
        "organization": {"name": "Metz", "id": "2"},
        "resources": [],
        "page": "https://x.example/eau",
    },
]


@pytest.mark.parametrize("raw", RECORDS, ids=["dcat", "flat", "short", "names", "udata"])
def test_records_of_every_shape(raw: dict[str, Any]) -> None:
    known = signs_from(raw, hide=False)
    assert [title.main for title in known.signs.titles] == [("eau",)]
    assert "metz" in known.signs.owner_words
    assert list(record_ids(raw))
    hidden = signs_from(raw, hide=True).signs
    assert (hidden.urls, hidden.pages, hidden.host) == ((), (), "")


def test_what_has_no_name_at_all_is_read_all_the_same() -> None:
    assert signs_from({"id": ""}, hide=True).signs.titles == ()


@pytest.mark.parametrize("shown", [("--hide-urls",), ()], ids=["addresses hidden", "addresses shown"])
def test_belgian_portals_are_told_apart(
    shared: Path, capsys: pytest.CaptureFixture[str], shown: tuple[str, ...]
) -> None:
    folder = shared / "eval/duplicates"
    main([str(folder / "belgium_pairs.jsonl"), str(folder / "belgium_records.jsonl.gz"), *shown])
    found = re.search(r"^same +precision ([\d.]+) +recall ([\d.]+)", capsys.readouterr().out, re.MULTILINE)
    assert found is not None
    precision, recall = map(float, found.groups())
    assert precision >= 0.99
    assert recall >= 0.95

"""Judging two records: a table of pairs that a person labelled, and what holds of any two."""

from __future__ import annotations

import gzip
import json
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.identity_records import signs_from
from harvester.identity.addresses import canonical
from harvester.identity.blocks import LIMITS, blocks
from harvester.identity.judge import Decision, Judgement, Shared, judge
from harvester.identity.signs import Signs, signs_of
from harvester.identity.sketches import KEPT_WORDS, overlap, words_sketch
from harvester.identity.tokens import title_words
from harvester.model import Dataset
from tests.judged_pairs import PAIRS, TREES, WATER, Pair, Raw, r

# Of the stored form, in bytes, whatever a portal sends.
LARGEST = 4_500
KNOWN_TITLE = -3985309745047853157
ACCEPTED = {
    "same": {Decision.SAME},
    "likely": {Decision.SAME, Decision.PROBABLE},
    "apart": {Decision.PROBABLE, Decision.RELATED, Decision.DIFFERENT},
    "related": {Decision.RELATED},
    "different": {Decision.DIFFERENT},
}


def signs(raw: Raw, guid: str, host: str) -> Signs:
    return signs_of(Dataset.of(raw), guid=guid, source_url=f"https://{host}/api")


def judged(a: Signs, b: Signs, *, same_source: bool = False) -> Judgement:
    return judge(a, b, shared=Shared(frozenset(blocks(a)) & frozenset(blocks(b))), same_source=same_source)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_pairs_are_judged_as_a_person_would(pair: Pair) -> None:
    a, b = signs(pair.a, "1", "portal.example"), signs(pair.b, "2", "other.example")
    found = judged(a, b)
    assert found.decision in ACCEPTED[pair.truth], found
    assert found.evidence or found.rule == "unalike"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_order_of_two_records_means_nothing(pair: Pair) -> None:
    a, b = signs(pair.a, "1", "portal.example"), signs(pair.b, "2", "other.example")
    assert judged(a, b) == judged(b, a)
    assert judged(a, b, same_source=True) == judged(b, a, same_source=True)


def test_what_is_the_same_is_found_by_its_blocks() -> None:
    same = [pair for pair in PAIRS if pair.truth == "same"]
    missed = [
        pair.name
        for pair in same
        if set(blocks(signs(pair.a, "1", "p.example"))).isdisjoint(blocks(signs(pair.b, "2", "o.example")))
    ]
    assert len(missed) <= len(same) // 100, missed


def test_text_alone_joins_nothing_inside_one_source() -> None:
    for pair in PAIRS:
        if not {"uri", "identifier", "distribution", "landing_page"} & {*pair.a, *pair.b}:
            a, b = signs(pair.a, "1", "portal.example"), signs(pair.b, "2", "portal.example")
            assert judged(a, b, same_source=True).decision is not Decision.SAME, pair.name


FILE = [{"download_url": "https://portal.example/trees.csv"}]


@pytest.mark.parametrize(
    ("a", "b", "joined"),
    [
        (r("Arbres", TREES, distribution=FILE), r("Arbres", TREES, distribution=FILE), True),
        (r("Arbres", TREES, uri="http://x.example/d/1"), r("Arbres", TREES, uri="http://x.example/d/1"), True),
        (r("Arbres", TREES, distribution=FILE), r("Arbres", WATER, distribution=FILE), False),
        (r("Arbres 2020", TREES, distribution=FILE), r("Arbres 2021", TREES, distribution=FILE), False),
        (r("Arbres", TREES, uri="http://x.example/d/1"), r("Eau", WATER, uri="http://x.example/d/1"), False),
    ],
    ids=["files", "identifier", "other text", "other year", "everything else"],
)
def test_a_key_alone_joins_nothing_inside_one_source(a: Raw, b: Raw, joined: bool) -> None:
    one, other = (
        signs({**a, "language": "fr"}, "1", "portal.example"),
        signs({**b, "language": "fr"}, "2", "portal.example"),
    )
    assert (judged(one, other, same_source=True).decision is Decision.SAME) is joined


def test_evidence_says_what_differs() -> None:
    pair = next(pair for pair in PAIRS if pair.name == "arrondissements")
    found = judged(signs(pair.a, "1", "p.example"), signs(pair.b, "2", "o.example"))
    assert "the titles differ in a number: '12' / '13'" in found.evidence


def test_a_description_that_many_have_joins_nothing() -> None:
    a, b = (signs(r(title, WATER, "Ville de Metz"), title, f"{title}.example") for title in ("Quais", "Fontaines"))
    live = frozenset(blocks(a)) & frozenset(blocks(b))
    assert judge(a, b, shared=Shared(live), same_source=False).decision is Decision.SAME
    few = frozenset(block for block in live if block[0] != "twin")
    assert judge(a, b, shared=Shared(few), same_source=False).decision is Decision.DIFFERENT


def test_machine_translations_are_nobody_s_titles() -> None:
    found = signs(r({"nl": "Bedrijven", "fr-t-nl": "Entreprises"}, {"nl": "x", "fr-t-nl": "y"}), "1", "p.example")
    assert [(title.language, title.main) for title in found.titles] == [("nl", ("bedrijven",))]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["2020", "fr", "a b c"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = sorted(set(Dataset.model_fields) - {"kind", "problems"})


@st.composite
def hostile(draw: st.DrawFn) -> Signs:
    """Signs of a record of which any field may hold anything."""
    raw = draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
    try:
        dataset = Dataset.of({**raw, "identifier": "x"})
    except ValidationError:
        # Connectors build parts of known fields only.
        reject()
    url = draw(st.sampled_from(["https://portal.example/api", "", "x"]))
    return signs_of(dataset, guid=draw(st.text(max_size=20)), source_url=url)


HOSTILE = hostile()


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE, st.booleans())
def test_any_two_records_are_judged_and_either_way_round(a: Signs, b: Signs, same_source: bool) -> None:
    found = judged(a, b, same_source=same_source)
    assert found == judged(b, a, same_source=same_source)
    assert 0 <= found.score <= 1
    assert all(isinstance(said, str) and said for said in found.evidence)


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
def test_signs_survive_being_stored(found: Signs) -> None:
    stored = found.packed()
    assert Signs.unpacked(stored) == found
    assert len(stored) <= LARGEST
    assert blocks(Signs.unpacked(stored)) == blocks(found)


def test_signs_of_huge_records_stay_small() -> None:
    raw = r(
        {tag: f"{tag} " + "Straßenbäume " * 400 for tag in ("de", "fr", "en", "nl", "it", "es", "")},
        {tag: " ".join(f"{tag}Wort{n}" for n in range(5_000)) for tag in ("de", "fr")},
        keyword=[f"Stichwort {n} {'lang' * 30}" for n in range(500)],
        publisher={"name": {f"x-{n}": "Landeshauptstadt " * 40 + str(n) for n in range(40)}},
        spatial=[{"name": "ort" * 200 + str(n)} for n in range(50)],
        distribution=[{"download_url": f"https://e.example/{n}.csv", "format": f"f{n}" * 9} for n in range(300)],
        identifier=[f"https://e.example/id/{n}" for n in range(200)],
    )
    assert len(signs(raw, "1", "portal.example").packed()) <= LARGEST


def test_blocks_are_few_and_the_same_in_every_process() -> None:
    found = [blocks(signs(pair.a, "1", "portal.example")) for pair in PAIRS]
    assert max(map(len, found)) <= 24
    assert {kind for each in found for kind, _ in each} <= set(LIMITS)
    assert all(-(2**63) <= key < 2**63 for each in found for _, key in each)
    known = blocks(signs(r("Arbres de la ville", TREES, "Ville de Metz"), "1", "portal.example"))
    assert dict(known)["title"] == KNOWN_TITLE


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("https://www.x.example:443/a/b.csv/", "http://X.example/a/b.csv", True),
        ("http://x.example/a?utm_source=mail&b=2&a=1", "http://x.example/a?a=1&b=2", True),
        ("http://x.example/a;jsessionid=9F?x=1", "http://x.example/a?x=1", True),
        ("http://x.example/a%20b.csv", "http://x.example/a b.csv", True),
        ("http://x.example/a#top", "http://x.example/a", True),
        ("http://x.example/a?year=2019", "http://x.example/a?year=2020", False),
        ("http://x.example/#/dataset/1", "http://x.example/#/dataset/2", False),
        ("http://x.example/A.csv", "http://x.example/a.csv", False),
        ("http://x.example:8080/a", "http://x.example/a", False),
        (
            "http://x.example/wms?service=WMS&request=GetCapabilities&layers=a",
            "http://x.example/wms?service=WMS",
            False,
        ),
    ],
)
def test_addresses_of_one_file(one: str, other: str, alike: bool) -> None:
    assert (canonical(one) == canonical(other)) is alike
    assert canonical(one)


@pytest.mark.parametrize(
    "address", ["", "x", "http://", "http://x.example/", "https://x.example/fr/", "http://[x", "/a"]
)
def test_addresses_that_name_nothing(address: str) -> None:
    assert canonical(address) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élections – 1er trimestre 2021", "elections Q1 2021"),
        ("Budget 2019/2020", "budget 2019-20"),
        ("Natura 2000 II", "NATURA 2000 2"),
        ("12ème arrondissement", "12e arrondissement"),
        ("BudgetPrimitif2020", "Budget Primitif 2020"),
        ("Comptage mai 2020", "comptage May 2020"),
        ("Comptage 2020-05", "Comptage 202005"),
    ],
)
def test_titles_that_are_one(one: str, other: str) -> None:
    assert set(title_words(one).main) == set(title_words(other).main)


@pytest.mark.parametrize(("one", "other"), [("Zone A", "Zone B"), ("Ligne C", "Ligne D"), ("Tome I", "Tome II")])
def test_titles_that_are_two(one: str, other: str) -> None:
    assert set(title_words(one).main) != set(title_words(other).main)


def test_how_much_two_texts_share_is_estimated_well() -> None:
    words = [f"word{n}" for n in range(1_000)]
    found = overlap(words_sketch(words), words_sketch(words[500:]), KEPT_WORDS)
    assert found.jaccard == pytest.approx(0.5, abs=0.15)
    assert found.contained == pytest.approx(1.0, abs=0.2)
    short = overlap(words_sketch(words[:30]), words_sketch(words[10:40]), KEPT_WORDS)
    assert short.jaccard == 0.5
    assert short.contained == pytest.approx(2 / 3)


REAL = (
    "corpus/udata/fr-datagouv-demo-20221202-datasets-406.jsonl.gz",
    "eval/search-fr/documents.jsonl.gz",
    "eval/duplicates/belgium_records.jsonl.gz",
    "eval/large/merged_normalised.jsonl.gz",
)


@pytest.mark.parametrize("name", REAL)
def test_nothing_real_breaks_judging(shared: Path, name: str) -> None:
    with gzip.open(shared / name, "rt", encoding="utf-8") as lines:
        found = [signs_from(json.loads(line), False).signs for line in islice(lines, 0, 2_000, 5)]
    assert all(Signs.unpacked(each.packed()) == each for each in found)
    assert sum(bool(each.titles) for each in found) > 0.9 * len(found)
    for a, b in pairwise(found):
        assert judged(a, b) == judged(b, a)

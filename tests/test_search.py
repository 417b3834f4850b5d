"""The search index: analysis, ranking, relaxation, filters, facets, and staying equal to the catalogue."""

from __future__ import annotations

import gzip
import json
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester.errors import UsageError
from harvester.search import Index, SearchRequest, SearchResult, analysis, gaps, open_index, rebuild, refresh
from harvester.search.base import DEEPEST, Position
from harvester.search.filters import FACETS, FILTERS, read
from harvester.search.generations import Generations
from harvester.search.parsing import parse
from harvester.search.ranges import Box, Days, box, days, last_day
from harvester.search.spelling import distance
from tests.catalogues import Catalogue, catalogue
from tests.conftest import SHARED

pytestmark = pytest.mark.usefixtures("database")

EVAL = SHARED / "eval" / "search-fr"

DATASETS: list[dict[str, Any]] = [
    {
        "identifier": "accidents",
        "title": {"fr": "Accidents corporels de la circulation routière", "en": "Road accidents with injuries"},
        "description": {"fr": "Base annuelle des accidents relevés par les forces de l'ordre."},
        "keyword": {"fr": ["sécurité routière", "accidents"]},
        "theme": ["Transports"],
        "publisher": "Ministère de l'Intérieur",
        "license": "CC_BY_4_0",
        "language": ["fr"],
        "distribution": [{"title": "Caractéristiques", "format": "csv", "download_url": "https://e.org/a.csv"}],
        "spatial": [{"name": "France", "bbox": [-5.2, 41.3, 9.6, 51.1]}],
        "temporal": [{"start": "2005", "end": "2019"}],
        "modified": "2021-05-04",
        "issued": "2010-01-01",
    },
    {
        "identifier": "deces",
        "title": "Fichier des personnes décédées (INSEE)",
        "description": "Les décès depuis 1970, par commune.",
        "keyword": ["décès", "état civil"],
        "theme": ["Population et société"],
        "publisher": "MINISTERE DE L'INTERIEUR",
        "license": "cc-by-4.0",
        "distribution": [{"format": "json", "access_url": "https://e.org/d"}],
        "temporal": [{"start": "1970-01-01"}],
        "modified": "2024-02-01T10:00:00Z",
    },
    {
        "identifier": "rpg",
        "title": "Registre parcellaire graphique (RPG) : contours des parcelles",
        "description": "Parcelles agricoles déclarées à la politique agricole commune.",
        "keyword": ["agriculture", "PAC"],
        "theme": ["Agriculture, pêche, sylviculture et alimentation"],
        "publisher": "IGN",
        "license": "licence maison",
        "distribution": [
            {"format": "shp", "access_url": "https://e.org/r"},
            {"format": "csv", "access_url": "https://e.org/s"},
        ],
        "modified": "2022",
        "issued": "2012-06-01",
        "hvd_category": ["http://data.europa.eu/bna/c_ac64a52d"],
    },
    {
        "identifier": "velos",
        "title": "Stationnement pour vélos",
        "description": "Arceaux et abris.",
        "publisher": "Ville de Paris",
        "spatial": [{"name": "Paris", "bbox": [2.22, 48.81, 2.47, 48.91]}],
        "temporal": [{"start": "2023-01-01", "end": "2023-12-31"}],
    },
    {
        "identifier": "fidji",
        "title": "Lagons des îles Fidji",
        "spatial": [{"bbox": [177.0, -19.0, -178.0, -16.0]}],
        "keyword": ["océan"],
    },
    {"identifier": "dos-12", "title": {"en": "Children's play areas in the city"}, "publisher": "Ville de Paris"},
]


@pytest.fixture(scope="module")
def filled(database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Index]:
    found = catalogue(tmp_path_factory.mktemp("filled"))
    found.add("national", DATASETS[:3])
    found.add("paris", DATASETS[3:])
    index = open_index(found.settings)
    refresh(found.engine, index)
    return found, index


@pytest.fixture
def empty(tmp_path: Path) -> tuple[Catalogue, Index]:
    found = catalogue(tmp_path)
    return found, open_index(found.settings)


def guids(result: SearchResult) -> list[str]:
    by_title = {next(iter(_texts(raw["title"]))): raw["identifier"] for raw in DATASETS}
    return [next(by_title[text] for text in hit.card["title"].values() if text in by_title) for hit in result.hits]


def _texts(title: Any) -> Iterable[str]:
    return title.values() if isinstance(title, dict) else [title]


def found_by(index: Index, text: str = "", **filters: Any) -> list[str]:
    wanted = {name: [value] if isinstance(value, str) else value for name, value in filters.items()}
    return guids(index.search(SearchRequest(q=text, filters=wanted)))


@pytest.mark.parametrize("text", ["deces", "décès", "Décès", "DECES", "DÉCÈS", "de\u0301ce\u0300s"])
def test_case_and_accents_are_one_query(filled: tuple[Catalogue, Index], text: str) -> None:
    assert found_by(filled[1], text) == ["deces"]


@pytest.mark.parametrize(
    ("text", "guid"),
    [
        ("vélo", "velos"),
        ("velos", "velos"),
        ("parcelle", "rpg"),
        ("l'état civil", "deces"),
        ("d’état", "deces"),
        ("injury accident", "accidents"),
        ("children playing area", "dos-12"),
        ("caracteristique", "accidents"),
        ("ministere interieur accidents", "accidents"),
        ("océans", "fidji"),
    ],
)
def test_number_elision_and_language(filled: tuple[Catalogue, Index], text: str, guid: str) -> None:
    result = filled[1].search(SearchRequest(q=text))
    assert (guids(result)[0], result.relaxed) == (guid, "all")


@pytest.mark.parametrize("text", ["rpg", "RPG", "Rpg"])
def test_acronyms_are_direct_hits(filled: tuple[Catalogue, Index], text: str) -> None:
    assert found_by(filled[1], text)[0] == "rpg"


def test_identifiers_and_keys_are_direct_hits(filled: tuple[Catalogue, Index]) -> None:
    built, index = filled
    assert found_by(index, "dos-12") == ["dos-12"]
    assert found_by(index, built.key("national", "rpg")) == ["rpg"]


def test_the_exact_title_wins_whatever_its_number(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    longer = [{"identifier": f"n{n}", "title": f"Prénoms prénoms {n}", "description": "prénom " * 9} for n in range(9)]
    built.add("a", [*longer, {"identifier": "exact", "title": "Prénoms"}])
    refresh(built.engine, index)
    for text in ("prénom", "Prénoms", "PRENOMS"):
        assert index.search(SearchRequest(q=text)).hits[0].card["title"] == {"": "Prénoms"}


def test_relaxation_says_what_it_did(filled: tuple[Catalogue, Index]) -> None:
    def relaxed(text: str) -> tuple[str, list[str]]:
        result = filled[1].search(SearchRequest(q=text))
        return result.relaxed, guids(result)

    assert relaxed("accidents circulation") == ("all", ["accidents"])
    assert relaxed("accidents circulation agriculture") == ("most", ["accidents"])
    assert relaxed("vélos agriculture")[0] == "any"
    assert set(relaxed("vélos agriculture")[1]) == {"velos", "rpg"}
    assert relaxed("acidents") == ("fuzzy", ["accidents"])
    assert relaxed("accidnets circulation") == ("fuzzy", ["accidents"])
    assert relaxed("qccidents") == ("fuzzy", ["accidents"])
    assert relaxed("zzzzzzzz")[1] == []


def test_phrases_and_exclusions(filled: tuple[Catalogue, Index]) -> None:
    index = filled[1]
    assert found_by(index, '"contours des parcelles"') == ["rpg"]
    assert found_by(index, '"parcelles des contours"') == []
    assert found_by(index, "«état civil»") == ["deces"]
    assert set(found_by(index, "-accidents")) == {"deces", "rpg", "velos", "fidji", "dos-12"}
    assert found_by(index, 'ministère -"circulation routière"') == ["deces"]


HOSTILE = [
    '"', '""', '"unclosed', "AND OR", "NOT", "a AND (b", "title:", "title:x^9", "*", "?*", "[a TO b]", "\\",
    "\x00", "a\x00b",
    "💥🙈", "-", "--", "-\"", "x" * 10_000, "mot " * 2_500, "\ud800", "'; DROP TABLE datasets; --", "{!lucene}",
    "~", "+", "/.*/",
    "\u202eabc", "ﬀ", "日本語", "<script>", "%00", "a" * 70_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_answered(filled: tuple[Catalogue, Index], text: str) -> None:
    assert filled[1].search(SearchRequest(q=text)).total >= 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(['"', "-", "*:()", "accidents", "vélos", "de", "AND", "OR"]), max_size=9).map(" ".join)
)
def test_any_text_is_answered(filled: tuple[Catalogue, Index], text: str) -> None:
    result = filled[1].search(SearchRequest(q=text, facets=["theme"]))
    assert len(result.hits) == min(result.total, 20)


@given(text=st.text())
def test_parsing_and_folding_are_total(text: str) -> None:
    question = parse(text)
    assert len(question.words) <= 32
    assert analysis.fold(analysis.fold(text)) == analysis.fold(text)


def test_no_text_finds_everything(filled: tuple[Catalogue, Index]) -> None:
    for text in ("", "  ", "*"):
        assert filled[1].search(SearchRequest(q=text)).total == len(DATASETS)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"source": "paris"}, {"velos", "fidji", "dos-12"}),
        ({"publisher": "ministère de l'intérieur"}, {"accidents", "deces"}),
        ({"theme": "TRAN"}, {"accidents"}),
        ({"theme": "http://publications.europa.eu/resource/authority/data-theme/TRAN"}, {"accidents"}),
        ({"theme": "transports"}, {"accidents"}),
        ({"format": "csv"}, {"accidents", "rpg"}),
        ({"format": ["CSV", "JSON"]}, {"accidents", "deces", "rpg"}),
        ({"format": "csv", "theme": "TRAN"}, {"accidents"}),
        ({"licence": "CC_BY_4_0"}, {"accidents", "deces"}),
        ({"licence": "Licence Maison"}, {"rpg"}),
        ({"language": "FRA"}, {"accidents"}),
        ({"hvd": "true"}, {"rpg"}),
        ({"keyword": "ETAT CIVIL"}, {"deces"}),
        ({"bbox": "2.3,48.8,2.4,48.9"}, {"accidents", "velos"}),
        ({"bbox": "10,60,20,70"}, set()),
        ({"bbox": "179,-18,-179,-17"}, {"fidji"}),
        ({"bbox": "-180,-18,-179,-17"}, {"fidji"}),
        ({"bbox": "178,-18,179,-17"}, {"fidji"}),
        ({"period": "2015/2016"}, {"accidents", "deces"}),
        ({"period": "2023"}, {"deces", "velos"}),
        ({"period": "../1990"}, {"deces"}),
        ({"period": "2019-12-31"}, {"accidents", "deces"}),
        ({"period": "2020-01-01/.."}, {"deces", "velos"}),
        ({"modified_since": "2022-01-01"}, {"deces", "rpg"}),
        ({"modified_since": "2024-02-01T10:00:00Z"}, {"deces"}),
        ({"modified_since": "2024-02-01T10:00:01Z"}, set()),
        ({"theme": "no such theme"}, set()),
    ],
)
def test_filters(filled: tuple[Catalogue, Index], filters: dict[str, Any], expected: set[str]) -> None:
    assert set(found_by(filled[1], **filters)) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bbox", "1,2,3"),
        ("bbox", "a,b,c,d"),
        ("bbox", "nan,0,1,1"),
        ("bbox", "0,10,1,5"),
        ("bbox", "0,0,1,91"),
        ("bbox", "inf,0,1,1"),
        ("period", "yesterday"),
        ("period", "2020/2019"),
        ("modified_since", "soon"),
        ("colour", "red"),
    ],
)
def test_filters_that_cannot_be(filled: tuple[Catalogue, Index], name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        filled[1].search(SearchRequest(filters={name: [value]}))
    assert caught.value.field == name


def counted(result: SearchResult, name: str) -> dict[str, int]:
    return {value.value: value.count for value in result.facets[name]}


def test_a_facet_is_counted_without_its_own_filter(filled: tuple[Catalogue, Index]) -> None:
    request = SearchRequest(filters={"format": ["CSV"]}, facets=["format", "theme"], language="en")
    result = filled[1].search(request)
    assert result.total == 2
    assert counted(result, "format") == {"CSV": 2, "SHP": 1, "JSON": 1}
    assert counted(result, "theme") == {"TRAN": 1, "AGRI": 1}
    assert {value.value: value.label for value in result.facets["theme"]}["TRAN"] == "Transport"
    assert [value.value for value in result.facets["format"] if value.selected] == ["CSV"]


def test_facets_follow_the_text_and_the_other_filters(filled: tuple[Catalogue, Index]) -> None:
    both = SearchRequest(q="accidents", filters={"format": ["CSV"], "theme": ["AGRI"]}, facets=["format", "theme"])
    result = filled[1].search(both)
    assert result.total == 0
    assert counted(result, "theme") == {"AGRI": 0, "TRAN": 1}


def test_spellings_of_a_publisher_are_one_value(filled: tuple[Catalogue, Index]) -> None:
    result = filled[1].search(SearchRequest(facets=["publisher"]))
    assert sorted(counted(result, "publisher").values()) == [1, 2, 2]


def test_facet_counts_are_exact_over_many_segments_and_values(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    for start in range(0, 400, 50):
        built.add(
            "a", [{"identifier": f"{n}", "title": f"T{n}", "keyword": [f"k{n % 97}"]} for n in range(start, start + 50)]
        )
        refresh(built.engine, index)
    result = index.search(SearchRequest(facets=["keyword"], facet_size=100))
    assert result.total == 400
    assert counted(result, "keyword") == {f"k{k}": 5 if k < 12 else 4 for k in range(97)}


def test_sorts(filled: tuple[Catalogue, Index]) -> None:
    def order(sort: str) -> list[str]:
        return guids(filled[1].search(SearchRequest(sort=sort)))

    assert order("-modified")[:3] == ["deces", "rpg", "accidents"]
    assert order("modified")[:3] == ["accidents", "rpg", "deces"]
    assert order("-issued")[:2] == ["rpg", "accidents"]
    assert order("title") == ["accidents", "dos-12", "deces", "fidji", "rpg", "velos"]


def test_pages_join_up(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": f"{n}", "title": f"Relevé {n}"} for n in range(45)])
    refresh(built.engine, index)
    for sort in ("relevance", "title", "modified"):
        pages = [index.search(SearchRequest(q="relevé", page=page, sort=sort)) for page in (1, 2, 3, 4)]
        assert [len(page.hits) for page in pages] == [20, 20, 5, 0]
        assert len({hit.id for page in pages for hit in page.hits}) == 45
        assert {page.total for page in pages} == {45}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"page": DEEPEST // 20 + 1}, "too-deep"),
        ({"page": 0}, "too-deep"),
        ({"size": 0}, "bad-size"),
        ({"size": 101}, "bad-size"),
        ({"sort": "views"}, "bad-sort"),
        ({"facets": ["bbox"]}, "unknown-facet"),
    ],
)
def test_requests_that_cannot_be(filled: tuple[Catalogue, Index], wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        filled[1].search(SearchRequest(**wrong))
    assert caught.value.code == code


def test_an_index_that_is_not_there_answers_nothing(empty: tuple[Catalogue, Index]) -> None:
    assert empty[1].search(SearchRequest(q="x")) == SearchResult()
    assert empty[1].position() is None
    assert empty[1].count() == 0


def test_the_index_follows_the_change_log(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": "1", "title": "Premier"}, {"identifier": "2", "title": "Second"}])
    assert refresh(built.engine, index) == 2
    assert refresh(built.engine, index) == 0
    built.add("a", [{"identifier": "1", "title": "Changé"}])
    built.retire("a", "2")
    assert refresh(built.engine, index) == 2
    assert index.search(SearchRequest(q="premier")).total == 0
    assert [hit.card["title"] for hit in index.search(SearchRequest()).hits] == [{"": "Changé"}]
    built.add("a", [{"identifier": "3", "title": "Troisième"}])
    assert rebuild(built.engine, index) == 2


def test_another_reader_sees_the_commit(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    reader = open_index(built.settings)
    assert reader.search(SearchRequest()).total == 0
    for number in (1, 2):
        built.add("a", [{"identifier": str(number), "title": "Titre"}])
        refresh(built.engine, index)
        assert reader.search(SearchRequest()).total == number
    rebuild(built.engine, index)
    assert reader.search(SearchRequest()).total == 2


def test_a_rebuild_that_fails_leaves_the_old_index(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": "1", "title": "Titre"}])
    refresh(built.engine, index)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(built.engine, index, fail)
    assert index.search(SearchRequest()).total == 1
    assert len(list((built.settings.data / "index").glob("generation-*"))) == 1
    assert rebuild(built.engine, index) == 1


def test_a_foreign_or_broken_index_is_rebuilt(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": "1", "title": "Titre"}])
    refresh(built.engine, index)
    root = built.settings.data / "index"
    pointer = root / "current.json"
    state = json.loads(pointer.read_text())

    def broken(change: Any) -> None:
        change()
        again = open_index(built.settings)
        assert refresh(built.engine, again) == 1
        assert again.search(SearchRequest()).total == 1

    broken(lambda: pointer.write_text(json.dumps({**state, "schema": -1})))
    broken(lambda: pointer.write_text("{"))
    broken(lambda: pointer.write_text("[]"))
    broken(lambda: pointer.write_text(json.dumps({**state, "directory": "../.."})))
    broken(lambda: next(root.glob("generation-*/meta.json")).write_text("{}"))
    broken(lambda: shutil.rmtree(next(root.glob("generation-*"))))
    broken(lambda: pointer.unlink())
    ahead = json.loads(pointer.read_text())
    broken(lambda: pointer.write_text(json.dumps({**ahead, "position": {"seq": 10**6, "gaps": []}})))


def test_there_is_one_writer(empty: tuple[Catalogue, Index], tmp_path: Path) -> None:
    generations = Generations(tmp_path / "index", "1")
    with generations.locked(), pytest.raises(UsageError, match="another process"), generations.locked(wait=0.1):
        pass


def test_refreshes_from_several_threads_agree(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": str(n), "title": f"Titre {n}"} for n in range(30)])
    threads = [threading.Thread(target=refresh, args=(built.engine, open_index(built.settings))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.search(SearchRequest()).total == 30


def test_joined_records_are_one_result_with_every_source(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    raw = {"identifier": "https://doi.org/10.5281/zenodo.1234", "title": "Mesures", "uri": "https://example.org/id/1"}
    built.add("a", [raw], keyed=True)
    built.add("b", [raw], keyed=True)
    refresh(built.engine, index)
    result = index.search(SearchRequest(q="10.5281/zenodo.1234", facets=["source"]))
    assert result.total == 1
    assert [source["name"] for source in result.hits[0].card["sources"]] == ["a", "b"]
    assert counted(result, "source") == {"a": 1, "b": 1}


def test_gaps_are_remembered_until_they_fill_or_age() -> None:
    position = gaps.advanced(Position(10), [11, 12, 15, 18], now=0.0)
    assert (position.seq, position.gaps) == (18, ((13, 14, 0.0), (16, 17, 0.0)))
    assert gaps.settled(position, [13, 16, 17], now=1.0).gaps == ((14, 14, 0.0),)
    assert gaps.settled(position, [], now=gaps.SECONDS + 1).gaps == ()


@given(st.lists(st.integers(1, 60), unique=True).map(sorted), st.integers(1, 30), st.integers(0, 30))
def test_missing_ranges_are_the_complement(found: list[int], first: int, length: int) -> None:
    last = first + length
    ranges = list(gaps.missing(first, last, found))
    assert {n for a, b in ranges for n in range(a, b + 1)} == set(range(first, last + 1)) - set(found)


def test_a_change_numbered_early_and_shown_late_is_not_lost(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": "1", "title": "Un"}])
    refresh(built.engine, index)
    built.add("a", [{"identifier": "2", "title": "Deux"}])
    with index.writing() as batch:
        # As if only number 3 had been visible, and 2 appeared afterwards.
        batch.commit(Position(2, ((2, 2, 9e12),)))
    assert index.search(SearchRequest(q="deux")).total == 0
    assert refresh(built.engine, index) == 1
    assert index.search(SearchRequest(q="deux")).total == 1


def test_ranges() -> None:
    assert box("170,-20,-170,20") == Box(170, -20, 190, 20)
    assert days("2020-02") == Days(days("2020-02-01").start, days("2020-02-29").end)
    assert last_day("9999") == days("9999-12-31").end


@given(st.text("abcd", max_size=7), st.text("abcd", max_size=7))
def test_distance_is_symmetric_and_bounded(left: str, right: str) -> None:
    assert distance(left, right, 2) == distance(right, left, 2) <= 3
    assert (distance(left, right, 2) == 0) == (left == right)


def test_every_filter_is_described() -> None:
    assert all(item.description and item.example and item.title for item in FILTERS)
    assert {item.kind for item in FACETS} == {"facet"}


@pytest.mark.skipif(not EVAL.exists(), reason="the labelled queries of ../shared/eval are not here")
def test_ranking_on_real_queries(tmp_path: Path) -> None:
    """Fields weighted as ours, without popularity, reach a mean reciprocal rank of 0.44 in the published baseline."""
    with gzip.open(EVAL / "documents.jsonl.gz", "rt", encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    built = catalogue(tmp_path)
    for start in range(0, len(documents), 500):
        built.add("national", [_raw(document) for document in documents[start : start + 500]])
    index = open_index(built.settings)
    refresh(built.engine, index)
    queries = [q for q in json.loads((EVAL / "queries.json").read_text()) if q["set"] == "matomo"]
    ranks = [_rank(index, query["query"], built.key("national", query["expected"])) for query in queries]
    assert sum(1 / rank for rank in ranks if rank) / len(ranks) >= 0.44


def _raw(document: dict[str, Any]) -> dict[str, Any]:
    parts = [{"title": part.get("title"), "format": part.get("format")} for part in document.get("resources") or []]
    return {
        "identifier": document["id"],
        "title": {"fr": document["title"]},
        "description": {"fr": document.get("description") or ""},
        "keyword": [*(document.get("tags") or []), document.get("acronym") or ""],
        "publisher": document.get("organization"),
        "distribution": parts,
    }


def _rank(index: Index, text: str, key: str) -> int:
    cards = [hit.card["id"] for hit in index.search(SearchRequest(q=text, size=100)).hits]
    return cards.index(key) + 1 if key in cards else 0


def test_another_language_asks_for_another_index(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    built.add("a", [{"identifier": "1", "title": "Titre"}])
    refresh(built.engine, index)
    dutch = open_index(built.settings.model_copy(update={"language": "nl"}))
    assert dutch.position() is None
    assert refresh(built.engine, dutch) == 1


def test_the_overview_follows_the_catalogue_too(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    for number in (1, 2):
        built.add("a", [{"identifier": str(number), "title": "Titre", "keyword": ["mot"]}])
        refresh(built.engine, index)
        for _ in range(2):
            assert counted(index.search(SearchRequest(facets=["keyword"])), "keyword") == {"mot": number}
    assert counted(index.search(SearchRequest(facets=["keyword"], filters={"source": ["b"]})), "keyword") == {}


def test_monstrous_metadata_is_indexed(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    monster = {
        "identifier": "m",
        "title": "T" * 100_000 + " titre",
        "description": "mot " * 100_000,
        "keyword": ["k" * 70_000, *(f"k{n}" for n in range(3_000))],
        "publisher": "p" * 70_000,
        "landing_page": "https://example.org/" + "a/" * 5_000 + "x1234567",
        "spatial": [{"bbox": [-180, -90, 180, 90]}, {"geometry": {"type": "Point", "coordinates": [2, 48]}}],
        "temporal": [{"start": "0001"}, {"end": "9999"}],
        "modified": "9999-12-31T23:59:59Z",
    }
    built.add("a", [monster, {"identifier": "...", "title": "!!!"}])
    assert refresh(built.engine, index) == 2
    assert index.search(SearchRequest(q="mot", filters={"keyword": ["k7"], "bbox": ["0,0,3,50"]})).total == 1
    assert index.search(SearchRequest(sort="title", facets=["keyword", "publisher"])).total == 2


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ({"theme": ["ENVI,TRAN"]}, ("ENVI", "TRAN")),
        ({"theme": ["ENVI", "TRAN"]}, ("ENVI", "TRAN")),
        ({"theme": ["Transports, Déplacements"]}, ("TRAN",)),
        ({"hvd": ["1"]}, ("true",)),
        ({"hvd": ["non"]}, ("false",)),
    ],
)
def test_values_are_read_as_people_write_them(asked: dict[str, list[str]], values: tuple[str, ...]) -> None:
    assert read(asked).values[next(iter(asked))] == values


def test_what_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(UsageError, match="true or false"):
        read({"hvd": ["maybe"]})


def test_a_machine_translation_is_found_and_never_shown_for_the_original(empty: tuple[Catalogue, Index]) -> None:
    built, index = empty
    title = {"nl": "Openbare toiletten", "fr-t-nl-t0-mtec": "Toilettes publiques"}
    built.add("a", [{"identifier": "1", "title": title, "description": {"fr-t-nl": "Où aller.", "nl": "Waarheen."}}])
    refresh(built.engine, index)
    (hit,) = index.search(SearchRequest(q="toilettes", language="fr")).hits
    assert (hit.title, hit.description) == ("Openbare toiletten", "Waarheen.")
    assert hit.card["title"] == title

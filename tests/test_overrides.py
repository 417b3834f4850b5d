"""What a source's own words mean (`options.vocabulary`): checked when saved, before every other rule, for it alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select

from harvester import registry, sources
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import documents, records
from harvester.connector import Record, Source, Walk
from harvester.errors import UsageError
from harvester.fields.terms import Term, several, term
from harvester.harvest import Result
from harvester.http import Http
from harvester.model import Dataset
from harvester.samples import SAMPLES, Sample
from harvester.samples.serving import as_transport
from harvester.settings import Settings
from harvester.vocabularies import VOCABULARIES, format_facts, heeding, overrides, split_themes, themes
from tests.programmable import Programmable
from tests.test_run import NOW, Bench

EU = "http://publications.europa.eu/resource/authority"
DECIDED: dict[str, dict[str, str | None]] = {
    "licence": {
        "Licence maison": "CC_BY_4_0",
        "notspecified": "CC0",
        "ODbL": None,
        "https://portal.example/licence": f"{EU}/licence/ODC_BL",
    },
    "data-theme": {"Divers": None, "Vie du port": "Transport"},
    "file-type": {"fichier maison": "CSV", "csv": None},
    "media-type": {"application/maison": "text/csv"},
    "language": {"patois": "FRA", "fr,en": "BRE"},
    "place": {"Chez nous": "REG53"},
}


@pytest.fixture
def decided() -> Iterator[None]:
    with heeding(overrides(DECIDED)):
        yield


def uri(vocabulary: str, value: Any) -> str | None:
    found = term(vocabulary, value)
    return found.uri if found else None


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize(
    ("vocabulary", "value", "meant"),
    [
        ("licence", "Licence maison", f"{EU}/licence/CC_BY_4_0"),
        ("licence", "LICENCE  MAISON", f"{EU}/licence/CC_BY_4_0"),
        ("licence", ["Titre inconnu", "licence maison"], f"{EU}/licence/CC_BY_4_0"),
        ("licence", ["Licence maison", "https://creativecommons.org/licenses/by-sa/4.0/"], f"{EU}/licence/CC_BY_4_0"),
        ("licence", ["ODbL", "https://creativecommons.org/licenses/by/4.0/"], None),
        ("licence", "http://www.portal.example/licence/", f"{EU}/licence/ODC_BL"),
        ("licence", {"text": "ODbL", "uri": f"{EU}/licence/ODC_BL"}, None),
        ("licence", Term("ODbL", f"{EU}/licence/ODC_BL"), None),
        ("licence", "CC0", f"{EU}/licence/CC0"),
        ("data-theme", "Vie du port", f"{EU}/data-theme/TRAN"),
        ("place", "Chez nous", "http://id.insee.fr/geo/region/53"),
    ],
)
def test_a_decision_comes_before_every_rule(vocabulary: str, value: Any, meant: str | None) -> None:
    found = term(vocabulary, value)
    assert found is not None
    assert found.uri == meant


@pytest.mark.usefixtures("decided")
def test_decisions_hold_inside_joined_texts() -> None:
    assert split_themes("Vie du port, Divers, Santé") == ("Vie du port", "Divers", "Santé")
    assert [theme.code for theme in themes("Vie du port, Divers, Santé")] == ["TRAN", "HEAL"]
    assert [found.text for found in several("language", "patois/en")] == ["en", "patois"]
    assert [found.uri for found in several("language", ["fr,en"])] == [f"{EU}/language/BRE"]


@pytest.mark.usefixtures("decided")
def test_decisions_on_formats() -> None:
    assert format_facts("fichier maison").format == VOCABULARIES["file-type"].concept(f"{EU}/file-type/CSV")
    assert format_facts("csv", None, "https://portal.example/a.csv").format is None
    typed = format_facts(None, "application/maison")
    assert (typed.format and typed.format.code, typed.media_type and typed.media_type.code) == ("CSV", "text/csv")


def test_nothing_is_left_of_a_decision_outside_its_source() -> None:
    texts = ("Licence maison", "ODbL", "notspecified")
    before = [uri("licence", text) for text in texts]
    with heeding(overrides(DECIDED)):
        assert [uri("licence", text) for text in texts] != before
        with heeding(overrides({"licence": {"ODbL": "CC0"}})):
            assert [uri("licence", text) for text in texts] == [None, f"{EU}/licence/CC0", None]
        assert themes("Vie du port, Divers")
    assert [uri("licence", text) for text in texts] == before
    assert themes("Vie du port, Divers") == ()
    assert split_themes("Santé, Divers") == ("Santé, Divers",)


def test_sources_that_are_mapped_at_once_do_not_hear_each_other() -> None:
    codes = ("CC0", "CC_BY_4_0", "ODC_BL", None)
    start = threading.Barrier(len(codes))
    wrong: list[str | None] = []

    def resolve(code: str | None) -> None:
        meant = code and f"{EU}/licence/{code}"
        start.wait()
        for number in range(300):
            with heeding(overrides({"licence": {"Licence maison": code}})):
                found = [uri("licence", "Licence maison"), uri("licence", ["Licence maison", f"n{number % 7}"])]
            wrong.extend(one for one in found if one != meant)

    threads = [threading.Thread(target=resolve, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_equal_decisions_are_one_object_and_no_decision_is_none() -> None:
    assert overrides({"licence": {"a": "CC0", "b": None}}) is overrides({"licence": {"b": None, "a": "CC0"}})
    assert overrides({}) is None


@pytest.mark.parametrize(
    "value",
    [
        "CC_BY_4_0",
        "Creative Commons Attribution 4.0 International",
        "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    ],
)
def test_a_concept_is_named_by_code_label_or_address(value: str) -> None:
    with heeding(overrides({"licence": {"Licence maison": value}})):
        assert uri("licence", "Licence maison") == f"{EU}/licence/CC_BY_4_0"


# ---- as an option of a source


@pytest.mark.parametrize("connector", registry.names())
def test_every_connector_takes_decisions(connector: str) -> None:
    options = registry.options(connector, {"vocabulary": DECIDED})
    assert options.model_dump()["vocabulary"] == DECIDED
    written = registry.options(connector, {"vocabulary": json.dumps(DECIDED)})
    assert written.model_dump() == options.model_dump()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"licences": {"a": "CC0"}}, ("vocabulary", "'licences' is no vocabulary", "data-theme")),
        ({"licence": {"Licence maison": "CC_BY_9"}}, ("vocabulary", "'Licence maison'", "licence", "'CC_BY_9'")),
        ({"licence": {"a": 3}}, ("vocabulary.licence.a",)),
        ({"licence": "CC0"}, ("vocabulary.licence",)),
        ("{not json", ("vocabulary",)),
    ],
)
@pytest.mark.parametrize("connector", registry.names())
def test_a_wrong_decision_is_refused_with_its_name(connector: str, given: Any, told: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        registry.options(connector, {"vocabulary": given})
    assert all(part in refused.value.message for part in (connector, *told))


def test_a_wrong_decision_is_refused_when_the_source_is_added(engine: Engine) -> None:
    with writing(engine) as connection, pytest.raises(UsageError, match="CC_BY_9"):
        sources.add(
            connection,
            url="https://data.example.org/",
            connector="ckan",
            now=NOW,
            options={"vocabulary": {"licence": {"Licence maison": "CC_BY_9"}}},
        )


def mapped(sample: Sample, settings: Settings, decisions: dict[str, Any]) -> list[Dataset]:
    """The datasets of a sample portal, as a run maps them."""
    connector = registry.connector(sample.connector)
    source = Source("one", f"http://portal.example{sample.path}", connector.Options(vocabulary=decisions))
    with Http(settings, transport=as_transport(sample.portal()), sleep=lambda _: None) as http:
        records = [record for page in connector.fetch(source, http, Walk()) for record in page.records]
    with heeding(source.options.overrides):  # type: ignore[attr-defined]
        return [connector.normalise(record, source) for record in records if not record.deleted]


@pytest.mark.parametrize("vocabulary", ["licence", "data-theme", "file-type", "language", "place"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_text_of_any_portal_can_be_decided_on(sample: Sample, vocabulary: str, settings: Settings) -> None:
    """Each text of a sample portal, decided to mean nothing, means nothing; the others mean what they meant."""
    plain = {found for one in mapped(sample, settings, {}) for name, found in one.terms() if name == vocabulary}
    if not plain:
        pytest.skip("the sample has none")
    text = min(plain, key=lambda found: (found.uri is None, "://" in found.text, found.text)).text
    changed = {
        found
        for one in mapped(sample, settings, {vocabulary: {text: None}})
        for name, found in one.terms()
        if name == vocabulary and found.text == text
    }
    assert changed <= {Term(text)}


def test_a_changed_decision_is_applied_by_a_replay(engine: Engine, settings: Settings) -> None:
    bench = Bench(engine, settings)
    for name in ("one", "two"):
        bench.source(name)
    portal = Programmable({"g": {"title": "Jeu", "license": "Licence maison"}})
    licences = {name: _licence_after(bench, portal, name, "full") for name in ("one", "two")}
    assert licences == {"one": None, "two": None}
    with writing(engine) as connection:
        row = sources.named(connection, "one")
        store.edit_source(connection, row.id, {"options": {"vocabulary": {"licence": {"Licence maison": "CC0"}}}})
    assert _licence_after(bench, portal, "one", "full") is None
    assert _licence_after(bench, portal, "one", "replay") == f"{EU}/licence/CC0"
    assert _licence_after(bench, portal, "two", "replay") is None


def _licence_after(bench: Bench, portal: Programmable, name: str, mode: str) -> str | None:
    result: Result = bench.run(portal, name, mode)
    assert result.status == "succeeded"
    with bench.engine.connect() as connection:
        joined = select(documents.c.dataset).join(records, records.c.id == documents.c.record_id)
        blob = connection.execute(joined.where(records.c.source_id == sources.named(connection, name).id)).scalar_one()
    licence = load_dataset(blob).license
    assert licence is not None
    return licence.uri


def test_a_record_mapped_without_decisions_is_as_ever() -> None:
    connector = registry.connector("ckan")
    source = Source("one", "https://portal.example/", connector.Options())
    payload = {"id": "1", "name": "jeu", "title": "Jeu", "license_title": "ODbL", "resources": []}
    found = connector.normalise(Record("1", payload), source)
    assert found.license == Term("ODbL", f"{EU}/licence/ODC_BL")


@pytest.mark.parametrize(
    "given",
    [
        {"licence": {"": "CC0"}},
        {"licence": {"CC0": "CC_BY_4_0", "cc0": "ODC_BL"}},
        {"data-theme": {"a": "Culture, Santé"}},
        {"place": {"a": "Halle"}},
    ],
)
def test_a_decision_that_could_mean_something_else_is_refused(given: dict[str, dict[str, str | None]]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        overrides(given)

"""The pure parts of a reconciliation: dates, fields, the verdict on a pair, and what absences have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harvester.model import Dataset
from harvester.reconcile import contrast, provenance
from harvester.reconcile.addresses import canonical, host_of, served
from harvester.reconcile.contrast import Tally
from harvester.reconcile.dates import later, span
from harvester.reconcile.fields import differences
from harvester.reconcile.judging import Side, judged
from harvester.reconcile.lines import Line, Named
from harvester.reconcile.provenance import Portal
from harvester.reconcile.reports import cells, written
from harvester.reconcile.words import REASONS, TODO, Verdict

PARIS = Portal(frozenset({"data.paris.example"}), frozenset({"parisdata"}), frozenset({"data.paris.example/dataset"}))
NATION = Portal(frozenset({"national.example"}))


def dataset(**fields: Any) -> Dataset:
    return Dataset.of({"title": {"fr": "Arbres"}, "identifier": "a", **fields})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-01T10:00:00Z", timedelta(days=1)),
        ("2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", None),
        ("2026-03-01T10:00:30Z", "2026-03-01T10:00:00Z", None),
        # One midnight of Paris, stated as a day and in UTC.
        ("2026-03-02", "2026-03-01T23:00:00Z", None),
        ("2026-03-05", "2026-03-01T23:00:00Z", timedelta(days=3, hours=1)),
        ("2026-03-02", "2026-03-01", timedelta(days=1)),
        ("2026-03-02", "2026-03-02", None),
        # A time zone that was forgotten on the way.
        ("2026-03-01T12:34:56Z", "2026-03-01T10:34:56Z", None),
        ("2026-03-01T12:34:56", "2026-03-01T10:34:56Z", None),
        ("2026-03-01T12:34:56Z", "2026-03-01T10:11:12Z", timedelta(hours=2, minutes=23, seconds=44)),
        ("2026", "2026-03-01", None),
        ("2027", "2026", timedelta(days=365)),
        (None, "2026-03-01", None),
        ("2026-03-01", None, None),
    ],
)
def test_a_date_is_later_only_where_that_is_sure(
    one: str | None, other: str | None, expected: timedelta | None
) -> None:
    assert later(span(one), span(other)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://www.Paris.example:80/a/b/?utm_source=x&b=2&a=1#top", "paris.example/a/b?a=1&b=2"),
        ("https://paris.example/", ""),
        ("https://paris.example/?id=7", "paris.example?id=7"),
        ("mailto:a@b.example", ""),
        ("http://[broken/", ""),
        ("https://paris.example/a%20b", "paris.example/a b"),
    ],
)
def test_addresses_are_compared_without_what_does_not_tell(url: str, expected: str) -> None:
    assert canonical(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://d.example/explore/dataset/Arbres/download/?format=csv",
        "https://d.example/explore/dataset/arbres/export/",
        "https://d.example/api/explore/v2.1/catalog/datasets/arbres/exports/json?use_labels=true",
        "https://d.example/api/v2/catalog/datasets/arbres/exports/csv",
        "https://d.example/api/records/1.0/download/?dataset=arbres&format=csv",
    ],
)
def test_every_export_of_a_dataset_is_one_thing(url: str) -> None:
    assert served(url.replace("/api/v2/", "/api/explore/v2.0/")) == "d.example/ods:arbres"


def test_an_attached_file_is_no_export() -> None:
    one = "https://d.example/api/explore/v2.1/catalog/datasets/arbres/attachments/notice_pdf"
    assert served(one) != served(one.replace("notice", "plan"))


@pytest.mark.parametrize(
    ("text", "expected"), [("https://www.a.example/x", "a.example"), ("a.example", "a.example"), ("", "")]
)
def test_hosts(text: str, expected: str) -> None:
    assert host_of(text) == expected


def test_a_record_names_its_origin_by_agency_source_or_page() -> None:
    by_agency = dataset(other_identifier=[{"notation": "arbres", "agency": "data.paris.example"}])
    by_title = dataset(other_identifier=[{"notation": "arbres", "agency": "Paris Data"}])
    by_source = dataset(source=[{"uri": "https://data.paris.example/dataset/arbres"}])
    by_link = dataset(landing_page=["https://data.paris.example/dataset/arbres"])
    for found in (by_agency, by_title, by_source, by_link):
        claim = provenance.claim(found, PARIS)
        assert claim is not None
        assert claim.names[0] == "arbres"
        assert claim.sure == (found is not by_link)


def test_a_link_to_another_corner_of_the_portal_is_no_claim() -> None:
    assert provenance.claim(dataset(landing_page=["https://data.paris.example/pages/aide"]), PARIS) is None
    assert provenance.claim(dataset(source=[{"uri": "https://data.paris.example/"}]), PARIS) is None


def test_other_origins_are_named_and_its_own_portal_is_none() -> None:
    found = dataset(
        other_identifier=[
            {"notation": "x", "agency": "region.example"},
            {"notation": "y", "agency": "national.example"},
        ],
        source=[{"uri": "https://elsewhere.example/d/1"}],
    )
    assert provenance.origins(found.plain(), NATION) == ("region.example", "elsewhere.example")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"harvest": {"last_update": "2026-03-01T04:00:00"}}, datetime(2026, 3, 1, 4, tzinfo=UTC)),
        ({"extras": {"harvest:last_update": "2020-01-01T00:00:00Z"}}, datetime(2020, 1, 1, tzinfo=UTC)),
        (
            {"extras": [{"key": "harvest_timestamp", "value": "2020-01-02T01:00:00"}]},
            datetime(2020, 1, 2, 1, tzinfo=UTC),
        ),
        ({"harvest": {"last_update": 7}}, None),
        ("<rdf/>", None),
        (None, None),
        ({"harvest": []}, None),
    ],
)
def test_when_the_target_looked(payload: Any, expected: datetime | None) -> None:
    assert provenance.looked_at(payload) == expected


@pytest.mark.parametrize(
    ("payload", "fields", "expected"),
    [
        ({"private": True}, {}, "private: True"),
        ({"state": "draft"}, {}, "state: draft"),
        ({"visibility": "restricted"}, {}, "visibility: restricted"),
        ({"private": False, "state": "active", "visibility": "domain"}, {}, None),
        (
            {},
            {"access_rights": "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"},
            "access rights: RESTRICTED",
        ),
        ({}, {"access_rights": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"}, None),
        ("text", {}, None),
    ],
)
def test_what_is_not_for_everybody_says_so(payload: Any, fields: dict[str, Any], expected: str | None) -> None:
    assert provenance.hidden(payload, dataset(**fields)) == expected


def differing(source: dict[str, Any], target: dict[str, Any]) -> list[str]:
    return [found.field for found in differences(dataset(**source), dataset(**target))]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ({"title": {"fr": "Les  arbres"}}, {"title": {"fr": "les arbres"}}, []),
        ({"title": {"fr": "Les arbres"}}, {"title": {"": "Les Arbres."}}, []),
        ({"title": {"fr": "Les arbres 2019"}}, {"title": {"fr": "Les arbres 2020"}}, ["title"]),
        ({"description": "Un <b>texte</b> : voir http://a.example/x"}, {"description": "Un **texte** : voir"}, []),
        ({"description": "Un texte"}, {}, ["description"]),
        ({}, {"description": "Un texte"}, []),
        ({"license": "Licence Ouverte v2.0"}, {"license": "lov2"}, []),
        ({"license": "Licence Ouverte v2.0"}, {"license": "odc-odbl"}, ["license"]),
        ({"license": "notspecified"}, {}, []),
        ({"publisher": {"name": "Ville de Paris (VdP)"}}, {"publisher": {"name": "VILLE DE PARIS"}}, []),
        ({"publisher": {"name": "Ville de Paris"}}, {"publisher": {"name": "État"}}, ["publisher"]),
        (
            {"publisher": {"name": "A", "identifier": ["217500016"]}},
            {"publisher": {"name": "B", "identifier": ["217500016"]}},
            [],
        ),
        ({"publisher": {"name": "Ville"}}, {"publisher": {"name": "État"}, "creator": [{"name": "Ville"}]}, []),
        ({"keyword": ["Eau potable", "Été"]}, {"keyword": ["eau-potable", "ete"]}, []),
        ({"keyword": ["eau"], "theme": ["Environnement"]}, {"keyword": ["eau", "environnement"]}, []),
        ({"keyword": ["eau", "ville"]}, {"keyword": ["eau"]}, ["keyword"]),
        ({"keyword": ["eau"]}, {"keyword": ["eau", "foudre"]}, ["keyword"]),
        (
            {"temporal": [{"start": "2019-01-01", "end": "2019-12-31"}]},
            {"temporal": [{"start": "2019", "end": "2019"}]},
            [],
        ),
        ({"temporal": [{"start": "2019-01-01"}]}, {"temporal": [{"start": "2017-01-01"}]}, ["temporal"]),
        ({"temporal": [{"start": "2019-01-01"}]}, {}, []),
        ({"accrual_periodicity": "annual"}, {"accrual_periodicity": "unknown"}, []),
        ({"accrual_periodicity": "annual"}, {"accrual_periodicity": "daily"}, ["accrual_periodicity"]),
    ],
)
def test_fields_differ_where_people_would_say_so(
    source: dict[str, Any], target: dict[str, Any], expected: list[str]
) -> None:
    assert differing(source, target) == expected


def files(*urls: str, form: str | None = None) -> dict[str, Any]:
    return {"distribution": [{"title": url, "download_url": url, "format": form} for url in urls]}


@pytest.mark.parametrize(
    ("source", "target", "note"),
    [
        (files("http://a.example/1.csv"), files("https://www.a.example/1.csv"), None),
        (
            files("http://a.example/1.csv", "http://a.example/2.csv"),
            files("http://a.example/1.csv"),
            "2 -> 1 distributions",
        ),
        (files("http://a.example/1.csv"), files("http://b.example/1.csv"), "none has the address"),
        (files("http://a.example/1", form="CSV"), files("http://a.example/1", form="PDF"), "CSV -> PDF"),
        (files("http://a.example/1", form="CSV"), files("http://a.example/1"), None),
        ({}, files("http://a.example/1"), "0 -> 1 distributions"),
    ],
)
def test_distributions_are_told_apart_by_address_format_and_number(
    source: dict[str, Any], target: dict[str, Any], note: str | None
) -> None:
    found = differences(dataset(**source), dataset(**target))
    assert [one.field for one in found] == (["distribution"] if note else [])
    assert note is None or note in found[0].note


def test_a_description_that_was_cut_is_told_so() -> None:
    whole = "Une phrase assez longue pour que sa coupe se voie, et encore une autre."
    (found,) = differences(dataset(description=whole), dataset(description=whole[:60]))
    assert found.note == f"cut after 60 of {len(whole)} characters"


OLD, NEW, LOOKED = "2026-02-01T10:11:12Z", "2026-03-10T10:11:12Z", datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mine", "theirs", "looked", "same", "expected"),
    [
        (NEW, OLD, LOOKED, False, Verdict.STALE),
        (NEW, OLD, LOOKED, True, Verdict.STALE),
        (NEW, OLD, None, True, Verdict.STALE),
        (OLD, OLD, LOOKED, False, Verdict.DIVERGENT),
        (OLD, OLD, LOOKED, True, Verdict.MATCHED),
        (OLD, NEW, LOOKED, False, Verdict.DIVERGENT),
        (OLD, NEW, None, True, Verdict.MATCHED),
        (NEW, None, LOOKED, True, Verdict.MATCHED),
        (NEW, None, LOOKED, False, Verdict.STALE),
        (None, None, LOOKED, False, Verdict.DIVERGENT),
        # It looked after the change and says the same: that it carries another date is its own affair.
        (NEW, OLD, datetime(2026, 3, 20, tzinfo=UTC), True, Verdict.MATCHED),
        # It looked, and shows the older state with the older date.
        (NEW, OLD, datetime(2026, 3, 20, tzinfo=UTC), False, Verdict.STALE),
    ],
)
def test_older_is_what_had_no_chance_to_know_better(
    mine: str | None, theirs: str | None, looked: datetime | None, same: bool, expected: Verdict
) -> None:
    target = dataset(modified=theirs, description="Ancien texte" if not same else "Texte")
    found = judged(Side(dataset(modified=mine, description="Texte")), Side(target, looked))
    assert found.verdict == expected
    assert (found.late is not None) == (expected is Verdict.STALE)


def test_a_date_that_the_target_overwrote_does_not_make_it_newer() -> None:
    target = dataset(modified="2026-03-05T00:00:00Z", record={"modified": "2026-03-05T00:00:00Z"}, description="Ancien")
    found = judged(Side(dataset(modified=NEW, description="Texte")), Side(target))
    assert found.verdict is Verdict.STALE
    earlier = judged(Side(dataset(modified=OLD, description="Texte")), Side(target))
    assert earlier.verdict is Verdict.DIVERGENT


def test_what_was_seen_to_change_here_counts_where_nothing_is_stated() -> None:
    changed = datetime(2026, 3, 15, tzinfo=UTC)
    found = judged(Side(dataset(description="Texte"), None, changed), Side(dataset(description="Ancien"), LOOKED))
    assert (found.verdict, found.late) == (Verdict.STALE, timedelta(days=14))


def test_what_could_not_be_read_is_there_and_not_compared() -> None:
    assert judged(Side(None), Side(dataset())).reason == "not-compared"


def test_chance_is_that_of_drawing_only_missing_ones() -> None:
    assert contrast.chance(1, 5, 100) == pytest.approx(0.05)
    assert contrast.chance(2, 5, 100) == pytest.approx(5 * 4 / (100 * 99))
    assert contrast.chance(6, 5, 100) == 1.0
    assert contrast.chance(3, 100, 100) == 1.0


@pytest.mark.parametrize(
    ("tally", "expected"),
    [(Tally(0, 40), True), (Tally(1, 40), False), (Tally(0, 2), False), (Tally(0, 3), True)],
)
def test_a_trait_explains_what_chance_would_not(tally: Tally, expected: bool) -> None:
    assert contrast.explains(tally, missing=50, total=2_000, looked_at=30) is expected


def test_where_nothing_arrived_no_trait_explains_anything() -> None:
    assert not contrast.explains(Tally(0, 50), missing=50, total=50, looked_at=10)


def test_every_reason_and_verdict_says_what_to_do() -> None:
    assert all(told and todo for told, todo in REASONS.values())
    assert {str(verdict) for verdict in TODO} <= {str(verdict) for verdict in Verdict}


def line(title: str = "=HYPERLINK(1)") -> Line:
    mine = Named("-1+2", title, "https://a.example/\x1b[31m", "2026-01-01")
    return Line(Verdict.MISSING, mine, None, "newer", "published\nlater", evidence=("@SUM(1)", "two"))


def test_no_cell_is_a_formula_nor_a_second_line() -> None:
    text = "".join(written({}, [line()], "csv"))
    head, row, rest = text.split("\r\n")
    assert head.lstrip("\ufeff").startswith("verdict,reason,why,source_title")
    assert rest == ""
    assert ",'=HYPERLINK(1)," in row
    assert ",'-1+2," in row
    assert ",'@SUM(1) | two," in row
    assert "\x1b" not in row


def test_a_line_tells_what_to_do() -> None:
    told = cells(line("Arbres"))
    assert told["why"] == "newer than the target's last harvest of the source: published\nlater"
    assert told["todo"].startswith("Wait")

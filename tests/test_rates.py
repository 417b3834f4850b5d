"""How resolution is counted: once for each dataset, with what says nothing, without what the mapping adds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bench.rates import TARGETS, Seen, Value, group_rates, of_portals, seen_in
from bench.recorded import recordings

# Half of the recorded licences are terms of a county's own, or say that there is no licence.
REACHED = TARGETS.keys() - {"licences"}


def seen(folder: Path, *packages: dict[str, Any], kind: str = "ckan") -> Seen:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for package in packages:
        path = folder / kind / f"{package['id']}{len(list(folder.rglob('*.json')))}.json"
        path.write_text(json.dumps({"result": {"results": [package]}}), encoding="utf-8")
    return seen_in(recordings(folder))[kind]


def package(identifier: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "name": identifier, "title": "Jeu", "resources": [], **more}


def values(found: Seen, vocabulary: str) -> dict[tuple[str, bool], int]:
    return {
        (value.text, resolved): number
        for (value, resolved), number in found.values.items()
        if value.vocabulary == vocabulary
    }


def test_a_value_counts_once_for_each_dataset(tmp_path: Path) -> None:
    files = [{"id": f"r{i}", "url": f"https://portal.example/{i}", "format": "CSV"} for i in range(5)]
    found = seen(tmp_path, package("a", resources=files), package("b", resources=files), package("a", resources=files))
    assert found.datasets == 2
    assert values(found, "file-type") == {("CSV", True): 2}


def test_what_says_that_there_is_no_licence_counts_as_unresolved(tmp_path: Path) -> None:
    none = {"license_id": "notspecified", "license_title": "License not specified"}
    found = seen(tmp_path, package("a", **none), package("b", license_id="odc-odbl"), package("c"))
    assert values(found, "licence") == {("notspecified", False): 1, ("odc-odbl", True): 1}
    assert [value.absent for value, resolved in found.values if value.vocabulary == "licence" and not resolved] == [
        True
    ]


def test_what_the_mapping_adds_is_no_value_of_the_source(tmp_path: Path) -> None:
    files = [{"id": "r", "url": "https://portal.example/a.csv"}]
    found = seen(tmp_path, package("a", resources=files))
    assert values(found, "file-type") == {}
    assert values(found, "media-type") == {}


def test_a_place_without_concept_is_unresolved(tmp_path: Path) -> None:
    found = seen(tmp_path, package("a", spatial_text="Quelque part"), package("b", spatial_text="Bretagne"))
    assert values(found, "place") == {("Quelque part", False): 1, ("Bretagne", True): 1}


def test_fixtures_that_no_portal_wrote_are_apart() -> None:
    value = (Value("frequency", "annual"), True)
    kinds = {"ckan": Seen(1, 0, Counter([value])), "edge-fixtures": Seen(1, 0, Counter([value] * 9))}
    assert of_portals(kinds) == Counter([value])
    assert group_rates(of_portals(kinds)) == {"frequencies": 100.0}


def test_rates_of_the_recorded_portals(shared: Path) -> None:
    rates = group_rates(of_portals(seen_in(recordings(shared / "corpus"))))
    # Two texts in a thousand more or less are no news.
    assert {name: rate for name, rate in rates.items() if name in REACHED and rate < TARGETS[name] - 0.2} == {}

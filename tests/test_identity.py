"""Match keys: only what the very same dataset can share."""

from __future__ import annotations

import pytest

from harvester.identity import known_as, match_keys, public_key
from harvester.model import Dataset

UUID = "73fb1b3d-d2ae-4f3f-9188-e3eff2e281c5"


@pytest.mark.parametrize(
    ("raw", "keys"),
    [
        ({"title": "Eau"}, ()),
        ({"title": "Eau", "identifier": "12"}, ()),
        ({"identifier": UUID}, (f"uuid:{UUID}",)),
        ({"identifier": f"urn:uuid:{UUID.upper()}"}, (f"uuid:{UUID}",)),
        ({"uri": f"http://www.e.example/dataset/{UUID}/"}, (f"uri:e.example/dataset/{UUID}", f"uuid:{UUID}")),
        ({"uri": f"http://e.example/org/{UUID}/water"}, (f"uri:e.example/org/{UUID}/water",)),
        ({"identifier": "https://doi.org/10.5281/z.1"}, ("doi:10.5281/z.1", "uri:doi.org/10.5281/z.1")),
        ({"uri": "http://e.example/"}, ()),
        ({"title": "x", "other_identifier": [{"notation": "12", "agency": "E.example"}]}, ("id:e.example:12",)),
        ({"title": "x", "landing_page": "https://portal.example/dataset/x"}, ("uri:portal.example/dataset/x",)),
        ({"title": "x", "landing_page": "https://elsewhere.example/all"}, ()),
    ],
)  # fmt: skip
def test_keys(raw: dict[str, object], keys: tuple[str, ...]) -> None:
    assert match_keys(Dataset.of(raw), "https://portal.example/api") == keys


def test_public_keys_are_short_stable_and_distinct() -> None:
    assert public_key("a", "1") == public_key("a", "1")
    assert len(public_key("a", "1")) == 16
    assert len({public_key(s, g) for s in ("a", "b", "a1") for g in ("1", "11", "\ud800")}) == 9


@pytest.mark.parametrize("address", ["http://[host]/dataset/1", "http://[::1", "https://[/x"])
def test_an_address_that_is_none_is_no_key_and_no_error(address: str) -> None:
    dataset = Dataset.of({"title": "A", "identifier": address, "other_identifier": [{"notation": address}]})
    assert match_keys(dataset, "https://portal.example") == ()
    assert address in {known.notation for known in known_as(dataset, "1", "https://portal.example")}

"""Licences told from terms of use: a licence is a document with a name, a paragraph of conditions states rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from harvester.fields.terms import Term, term
from harvester.model.parts import Part

# Names of licences and their addresses are shorter, disclaimers of counties and conditions in HTML longer.
PROSE = 150


class Licensed(Part):
    """What has a licence and rights: a paragraph in place of a licence states the rights, where nothing else does."""

    @model_validator(mode="before")
    @classmethod
    def _rights_apart(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or raw.get("rights") or not _wordy(raw.get("license")):
            return raw
        found = term("licence", raw["license"])
        if found is None or found.uri is not None or len(found.text) <= PROSE:
            return raw
        return {**raw, "license": None, "rights": found.text}


def _wordy(said: Any) -> bool:
    if isinstance(said, Term):
        return len(said.text) > PROSE
    return any(isinstance(hint, str) and len(hint) > PROSE for hint in (said if isinstance(said, list) else (said,)))

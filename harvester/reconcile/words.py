"""The verdicts of a reconciliation, their reasons, and what to do about each."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What became of a record; `outside` and `gone` are no one's fault, and make the totals add up."""

    MATCHED = "matched"
    STALE = "stale"
    DIVERGENT = "divergent"
    MISSING = "missing"
    ORPHAN = "orphan"
    DUPLICATE = "duplicate"
    OUTSIDE = "outside"
    GONE = "gone"


# Verdicts about one record of either side, and those about one side alone.
PAIRED = (Verdict.MATCHED, Verdict.STALE, Verdict.DIVERGENT)
TROUBLE = (Verdict.STALE, Verdict.DIVERGENT, Verdict.MISSING, Verdict.ORPHAN, Verdict.DUPLICATE)
MEANING: dict[Verdict, str] = {
    Verdict.MATCHED: "arrived, and says the same",
    Verdict.STALE: "arrived, but the target is older",
    Verdict.DIVERGENT: "arrived, but the target says something else",
    Verdict.MISSING: "not at the target",
    Verdict.ORPHAN: "the target says it came from the source, which no longer has it",
    Verdict.DUPLICATE: "at the target more than once: one of the copies that do not count",
    Verdict.OUTSIDE: "at the target, and not from the source",
    Verdict.GONE: "retired, as it should be: the other side does not show it",
}

# Reasons by code: what is likely, and what to do about it.
REASONS: dict[str, tuple[str, str]] = {
    "newer": (
        "newer than the target's last harvest of the source",
        "Wait for the next harvest of the target; ask for one if it is overdue.",
    ),
    "withdrawn": (
        "the target had it and has withdrawn it",
        "Ask the target why it was archived, deleted or made private there.",
    ),
    "unreadable-target": (
        "a record of the target names it, and could not be read here",
        "Look at the problems of the target's last run here, and at the record at the target.",
    ),
    "unreadable-source": (
        "the record of the source could not be read here",
        "Correct the record at the source; the problems of its last run here say what is wrong.",
    ),
    "private": (
        "not public at the source",
        "Publish it at the source, or leave it: portals take public datasets only.",
    ),
    "lacks-field": (
        "refused for a missing field",
        "Fill in the field at the source; the target refuses records without it.",
    ),
    "too-many-distributions": (
        "more distributions than any record that arrived",
        "Split the dataset, or ask the target for its limit of distributions.",
    ),
    "too-large": (
        "larger than any record that arrived",
        "Shorten the record (description, geometry, lists), or ask the target for its limit.",
    ),
    "filtered": (
        "left out by a filter of the target",
        "If it should arrive, ask the target to widen the filter of its harvest.",
    ),
    "listed-twice": (
        "the source lists the dataset twice, the target holds it once",
        "Withdraw one of the two at the source.",
    ),
    "apart": (
        "people decided that what the target seems to hold of it is another dataset",
        "Nothing, if the decision is right; else undo it: `harvester dataset explain` tells who made it.",
    ),
    "elsewhere": (
        "the target has the title under another producer: perhaps it was harvested otherwise",
        "Compare the two; if they are one dataset, tell the target.",
    ),
    "unknown": (
        "nothing tells why",
        "Look at the report of the target's last harvest for this record.",
    ),
    "retired": (
        "the source has withdrawn it",
        "Ask the target to withdraw it, or to say that it is kept as an archive.",
    ),
    "never-seen": (
        "the source has not had it as long as it has been harvested here",
        "Ask the target to withdraw it; it may have been renamed before.",
    ),
    "copy": (
        "another record of the target stands for the same dataset",
        "Ask the target to merge it into the record that counts.",
    ),
    "copy-through": (
        "a copy that came through another portal",
        "Ask the target to harvest the dataset from one of the two portals alone.",
    ),
    "not-compared": (
        "one of the two records could not be read here, so that only its presence is sure",
        "Look at the problems of the last runs here.",
    ),
}
TODO: dict[Verdict, str] = {
    Verdict.MATCHED: "",
    Verdict.STALE: "Ask for a new harvest of the target; if it ran since, ask why it skipped the record.",
    Verdict.DIVERGENT: "Find out who changed the fields named, and correct the record there.",
    Verdict.OUTSIDE: "",
    Verdict.GONE: "",
}


def why(reason: str | None) -> str:
    """A reason in words; "" for none."""
    return REASONS[reason][0] if reason else ""


def todo(verdict: Verdict, reason: str | None) -> str:
    """What to do about it; "" for nothing."""
    return REASONS[reason][1] if reason else TODO.get(verdict, "")

"""The shapes of the JSON answers, with the examples that the documentation shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ByLanguage = dict[str, str]
_TITLE: ByLanguage = {"fr": "Accidents de la circulation", "en": "Road accidents"}
_AT = "2026-03-01T12:00:00Z"


class Shape(BaseModel):
    """The base of every answer."""

    model_config = ConfigDict(from_attributes=True)


class SourceRef(Shape):
    """A source, by name."""

    name: str = Field(examples=["paris"])
    title: str = Field(examples=["Paris Data"])


class Found(Shape):
    """One result of a search."""

    id: str = Field(description="Public key.", examples=["k3vxq2m5dzr7ttq5"])
    score: float | None = Field(description="Only when sorted by relevance.", examples=[12.5])
    title: ByLanguage = Field(description="By language tag; `` for text without one.", examples=[_TITLE])
    description: ByLanguage = Field(description="Its beginning.", examples=[{"fr": "Accidents corporels…"}])
    publisher: ByLanguage = Field(examples=[{"fr": "Ville de Paris"}])
    sources: list[SourceRef] = Field(description="Every portal that lists it.")
    formats: list[str] = Field(description="Codes of the EU file types, else the portal's words.", examples=[["CSV"]])
    themes: list[str] = Field(description="Codes of the EU data themes.", examples=[["TRAN"]])
    licence: str | None = Field(examples=["CC_BY_4_0"])
    issued: str | None = Field(examples=["2020-05-01"])
    modified: str | None = Field(examples=["2026-02-11"])
    landing_page: str | None = Field(examples=["https://opendata.example.org/dataset/accidents"])
    iri: str | None = Field(description="IRI given by its first source.", examples=["https://example.org/id/42"])
    url: str = Field(description="This dataset, whole.", examples=["/api/datasets/k3vxq2m5dzr7ttq5"])


class FacetCount(Shape):
    """One value of a facet."""

    value: str = Field(description="What to put into the parameter.", examples=["TRAN"])
    label: str = Field(examples=["Transports"])
    count: int = Field(examples=[128])
    selected: bool = Field(examples=[False])


class Facet(Shape):
    """The values of one facet among the results, counted without the facet's own filter."""

    title: str = Field(examples=["Theme"])
    values: list[FacetCount]


class SearchAnswer(Shape):
    """The results of a search."""

    total: int = Field(description="Exact number of results.", examples=[1204])
    page: int = Field(examples=[1])
    size: int = Field(examples=[20])
    relaxed: Literal["all", "most", "any", "fuzzy"] = Field(
        description="Which words had to match: all; most or any when all found nothing; fuzzy for similar spelling.",
        examples=["all"],
    )
    facets: dict[str, Facet]
    results: list[Found]
    next: str | None = Field(description="The next page.", examples=["/api/datasets?q=accidents&page=2"])
    previous: str | None = Field(description="The page before.", examples=[None])


class RecordOut(Shape):
    """What one source says of a dataset, and since when."""

    id: int = Field(examples=[42])
    source: str = Field(examples=["paris"])
    source_title: str = Field(examples=["Paris Data"])
    connector: str = Field(examples=["opendatasoft"])
    guid: str = Field(description="The source's own identifier.", examples=["accidents-2024"])
    status: str = Field(description="active or retired.", examples=["active"])
    title: str | None = Field(examples=["Accidents de la circulation"])
    url: str | None = Field(description="Its page at the source.", examples=["https://opendata.example.org/x"])
    first_seen_at: datetime = Field(examples=[_AT])
    changed_at: datetime = Field(examples=[_AT])
    last_seen_at: datetime | None = Field(examples=[_AT])
    shown: bool = Field(description="Whether the dataset shows this record first.", examples=[True])
    role: str | None = Field(
        description="original, republished, loop (it repeats our own export) or unknown; null: not known yet.",
        examples=["republished"],
    )
    origin: str | None = Field(description="The portal it was taken from.", examples=["opendata.example.org"])
    why: str = Field(description="Why it has this role.", examples=["it says that it comes from opendata.example.org"])
    payload: str = Field(description="The metadata as received.", examples=["/api/datasets/k3vx/records/42/payload"])


class OriginalOut(Shape):
    """Which record of a dataset is the original."""

    record: int | None = Field(description="null: it is not harvested here, or nothing tells.", examples=[42])
    reason: str = Field(examples=["national says that it comes from opendata.example.org"])


class DatasetOut(Shape):
    """A dataset of the unified catalogue: what is true, and who says so."""

    id: str = Field(description="Public key; never changes.", examples=["k3vxq2m5dzr7ttq5"])
    iri: str = Field(examples=["https://example.org/id/42"])
    created_at: datetime = Field(description="First seen here.", examples=[_AT])
    changed_at: datetime = Field(examples=[_AT])
    metadata: dict[str, Any] = Field(
        description="DCAT-AP in snake_case, every distribution included; what is not known is left out. "
        "Terms have the `text` of the source and the `uri` of the concept.",
        examples=[
            {
                "title": _TITLE,
                "theme": [
                    {"text": "Transports", "uri": "http://publications.europa.eu/resource/authority/data-theme/TRAN"}
                ],
                "distribution": [{"title": {"fr": "CSV"}, "download_url": ["https://example.org/accidents.csv"]}],
            }
        ],
    )
    original: OriginalOut
    fields: dict[str, int] = Field(
        description="Which record each field comes from: the original first, then the most complete, then the newest. "
        "`title@en` is a text in a language that the best record lacks, `distribution:CSV` the distributions in a "
        "format that it does not offer.",
        examples=[{"title": 42, "title@en": 43, "distribution": 42}],
    )
    records: list[RecordOut]
    links: dict[str, str] = Field(
        description="Other representations, by media type.", examples=[{"text/turtle": "/datasets/k3vx.ttl"}]
    )


class ProgressOut(Shape):
    """How far a running run is."""

    pages: int = Field(examples=[12])
    records: int = Field(examples=[1200])
    advertised: int | None = Field(description="Null: the source states no total.", examples=[64188])
    rate: float | None = Field(description="Records a second; null: too early to say.", examples=[83.4])
    seconds_left: float | None = Field(description="Null: not known.", examples=[755.2])


class RunOut(Shape):
    """One run over one source."""

    id: int = Field(examples=[7])
    source: str = Field(examples=["paris"])
    mode: str = Field(description="full, incremental or replay.", examples=["full"])
    status: str = Field(
        description="queued, running, succeeded, partial, failed, cancelled or held.", examples=["succeeded"]
    )
    origin: str = Field(description="schedule, manual or api.", examples=["schedule"])
    queued_at: datetime = Field(examples=[_AT])
    not_before: datetime | None = Field(description="Null: may start at once.", examples=[None])
    started_at: datetime | None = Field(examples=[_AT])
    ended_at: datetime | None = Field(examples=[_AT])
    attempt: int = Field(description="How often a worker took it up.", examples=[1])
    since_at: datetime | None = Field(description="Null: everything was asked for.", examples=[None])
    pages: int = Field(examples=[12])
    advertised: int | None = Field(description="The total the source claims.", examples=[1200])
    fetched: int = Field(examples=[1200])
    distinct: int | None = Field(description="Different records among those fetched; null: not known.", examples=[1200])
    accepted: int | None = Field(description="Active records of the source after the run.", examples=[1199])
    visible: int | None = Field(description="Datasets of the catalogue that show them.", examples=[1180])
    created: int = Field(examples=[3])
    updated: int = Field(examples=[17])
    unchanged: int = Field(examples=[1179])
    failed: int = Field(examples=[1])
    repeated: int = Field(examples=[0])
    retired: int = Field(examples=[2])
    restored: int = Field(examples=[0])
    warnings: int = Field(examples=[5])
    code: str | None = Field(description="Why it ended as it did, for programs.", examples=[None])
    message: str | None = Field(description="The same for people.", examples=[None])
    help: str | None = Field(None, description="What to do about it.", examples=[None])
    decided_by: str | None = Field(description="Who confirmed or discarded it.", examples=[None])
    progress: ProgressOut | None = Field(None, description="Only while it is running.", examples=[None])
    url: str = Field(description="Its page.", examples=["/runs/7"])


class SourceOut(Shape):
    """A harvested portal."""

    name: str = Field(examples=["paris"])
    title: str = Field(examples=["Paris Data"])
    connector: str = Field(examples=["opendatasoft"])
    url: str = Field(examples=["https://opendata.example.org"])
    options: dict[str, Any] = Field(description="Secrets are hidden.", examples=[{"api_key": "(hidden)"}])
    schedule: str | None = Field(description="Null: only harvested when asked.", examples=["0 3 * * *"])
    full_schedule: str | None = Field(
        description="Of complete walks alone; null: they come with `schedule`.", examples=["0 4 * * 0"]
    )
    timezone: str = Field(description="Of both schedules.", examples=["Europe/Paris"])
    jitter: int = Field(description="Seconds, at most, after the tick.", examples=[600])
    paused_at: datetime | None = Field(description="Null: not paused.", examples=[None])
    failing_since: datetime | None = Field(
        description="Start of the first of its latest failed runs; null: the last one was good.", examples=[None]
    )
    created_at: datetime = Field(examples=[_AT])
    next_run_at: datetime | None = Field(examples=[_AT])
    next_full_at: datetime | None = Field(examples=[_AT])
    complete_at: datetime | None = Field(description="Start of the last complete walk.", examples=[_AT])
    records: int = Field(description="Active records.", examples=[1200])
    last_run: RunOut | None


class CodeOut(Shape):
    """What a code of an error or problem means."""

    code: str = Field(description="`http-*` stands for all that begin so.", examples=["bad-date"])
    stage: str = Field(description="fetch, walk, normalise, retire, run, command or api.", examples=["normalise"])
    severity: str = Field(description="error or warning.", examples=["warning"])
    meaning: str = Field(examples=["Not a date that can be read without guessing; left out."])
    remedy: str = Field(description="What to do about it.", examples=["Write it as 2026-03-01."])


class CodeList(Shape):
    """Every code."""

    codes: list[CodeOut]


class SourceList(Shape):
    """A page of sources, by name."""

    sources: list[SourceOut]
    next: str | None = Field(examples=["/api/sources?after=paris"])


class RunList(Shape):
    """A page of runs, newest first."""

    runs: list[RunOut]
    next: str | None = Field(examples=["/api/runs?before=7"])


class ProblemOut(Shape):
    """One line of the report of a run."""

    id: int = Field(examples=[1])
    source: str = Field(examples=["paris"])
    guid: str | None = Field(description="Null: about the source, not one record.", examples=["accidents-2024"])
    stage: str = Field(examples=["normalise"])
    severity: str = Field(description="error or warning.", examples=["warning"])
    code: str = Field(examples=["bad-date"])
    field: str | None = Field(examples=["modified"])
    value: str | None = Field(examples=["10/12/2019"])
    url: str | None = Field(examples=[None])
    message: str = Field(examples=["not a date that can be read without guessing; left out"])
    help: str | None = Field(description="What to do about it.", examples=["Write it as 2026-03-01."])


class ProblemList(Shape):
    """A page of the report of a run."""

    problems: list[ProblemOut]
    next: str | None = Field(examples=["/api/runs/7/problems?after=100"])


class ChangeOut(Shape):
    """One dataset that a run changed."""

    seq: int = Field(examples=[991])
    action: str = Field(description="created, updated, retired, restored or joined.", examples=["created"])
    at: datetime = Field(examples=[_AT])
    dataset: str = Field(description="Public key.", examples=["k3vxq2m5dzr7ttq5"])
    guid: str | None = Field(examples=["accidents-2024"])
    title: str | None = Field(examples=["Accidents de la circulation"])


class ChangeList(Shape):
    """A page of the diff of a run."""

    changes: list[ChangeOut]
    next: str | None = Field(examples=["/api/runs/7/changes?after=991"])


class UnmatchedOut(Shape):
    """A text that stands for no known concept of a vocabulary."""

    source: str = Field(examples=["paris"])
    vocabulary: str = Field(examples=["licence"])
    text: str = Field(examples=["voir conditions"])
    count: int = Field(description="How often it stands in active records, distributions included.", examples=[12])


class UnmatchedList(Shape):
    """The most frequent texts without a concept."""

    values: list[UnmatchedOut]


class DumpOut(Shape):
    """A compressed file with a whole part of the catalogue."""

    name: str = Field(examples=["catalogue.ttl.gz"])
    title: str = Field(description="Of the part of the catalogue.", examples=["Unified catalogue"])
    catalogue: str = Field(description="Its IRI.", examples=["https://data.example.org/catalog"])
    parameters: dict[str, str] = Field(
        description="Which part: `source`, `publisher`, `space`, `hvd`; none is everything.",
        examples=[{"space": "culture"}],
    )
    format: str = Field(examples=["ttl"])
    media_type: str = Field(description="Of what is compressed.", examples=["text/turtle"])
    profile: str = Field(examples=["dcat-ap-3.0.1"])
    bytes: int = Field(examples=[81_204_112])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    datasets: int = Field(examples=[64188])
    made_at: datetime = Field(examples=[_AT])
    state: int = Field(description="The change of the log up to which everything is in it.", examples=[99112])
    url: str = Field(examples=["/dumps/catalogue.ttl.gz"])
    stale: bool = Field(False, description="Made for another public address: it is not handed out.", examples=[False])
    reason: str | None = Field(None, description="Why it is stale.", examples=[None])


class DumpList(Shape):
    """Every dump."""

    dumps: list[DumpOut]


class SpaceOut(Shape):
    """A named part of the catalogue."""

    name: str = Field(examples=["culture"])
    title: ByLanguage = Field(examples=[{"fr": "Culture en Occitanie"}])
    description: ByLanguage = Field(examples=[{"fr": "Musées, patrimoine, spectacles."}])
    q: str = Field(description="Words that each of its datasets has; may be empty.", examples=["musée"])
    filters: dict[str, list[str]] = Field(description="As of a search.", examples=[{"theme": ["EDUC"]}])
    created_at: datetime = Field(examples=[_AT])
    changed_at: datetime = Field(examples=[_AT])
    datasets: int = Field(description="How many it has now.", examples=[412])
    page: str = Field(description="For people.", examples=["/spaces/culture"])
    search: str = Field(description="The search within it.", examples=["/api/datasets?space=culture"])
    catalogue: dict[str, str] = Field(
        description="It as DCAT-AP, by media type.", examples=[{"text/turtle": "/catalog.ttl?space=culture"}]
    )
    dumps: list[DumpOut]


class SpaceList(Shape):
    """A page of spaces, by name."""

    spaces: list[SpaceOut]
    next: str | None = Field(examples=["/api/spaces?after=culture"])


class DutyOut(Shape):
    """What scheduler and workers have to do; the API is ready without them."""

    queued: int = Field(examples=[0])
    running: int = Field(examples=[2])
    held: int = Field(description="Runs that wait for a person.", examples=[1])
    waiting_seconds: float = Field(description="How long the oldest queued run has waited.", examples=[0.0])
    silent_seconds: float = Field(description="Age of the oldest heartbeat of a running run.", examples=[4.2])
    overdue: int = Field(description="Sources due over a minute ago and not queued.", examples=[0])


class Health(Shape):
    """Whether the service can answer."""

    status: Literal["ok"] = Field("ok", examples=["ok"])
    datasets_indexed: int | None = Field(None, description="Null: not asked, or no index yet.", examples=[64188])
    duty: DutyOut | None = Field(None, description="Null: not asked.")

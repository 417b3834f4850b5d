"""The shapes of the answers about quality."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from api.schemas import Shape

_DIMENSIONS = {
    "findability": 80.0,
    "accessibility": 20.0,
    "interoperability": 90.0,
    "reusability": 65.0,
    "contextuality": 15.0,
}


class ScoreOut(Shape):
    """The score of many datasets by one rule, in one reading."""

    rule: str = Field(
        description="mean: of the scores of the datasets; share: of what meets each indicator.", examples=["mean"]
    )
    reading: str = Field(
        "now",
        description="now: links that were never checked give nothing; checked: as if they all work.",
        examples=["now"],
    )
    points: float = Field(description="Of 405.", examples=[270.25])
    band: str = Field(description="excellent (351 and more), good (221), sufficient (121), bad.", examples=["good"])
    dimensions: dict[str, float] = Field(examples=[_DIMENSIONS])


class ShareOut(Shape):
    """How many meet an indicator."""

    met: int = Field(examples=[1200])
    of: int = Field(description="How many it was decided for.", examples=[2047])
    won: float = Field(description="The points it gives.", examples=[17.59])


class IndicatorShareOut(Shape):
    """One indicator by both rules."""

    name: str = Field(examples=["keyword"])
    title: str = Field(examples=["Keywords"])
    dimension: str = Field(examples=["findability"])
    points: int = Field(description="At most.", examples=[30])
    mean: ShareOut
    share: ShareOut


class QualityOut(Shape):
    """The score of a part of the catalogue."""

    datasets: int = Field(examples=[2047])
    distributions: int = Field(examples=[8120])
    most: int = Field(description="Points there are.", examples=[405])
    up_to_date: bool = Field(description="False while what changed last is still being assessed.", examples=[True])
    scores: list[ScoreOut]
    indicators: list[IndicatorShareOut]
    filled_in: int = Field(description="Datasets that conform to DCAT-AP only for what we fill in.", examples=[12])
    links: dict[str, str] = Field(examples=[{"fixes": "/api/quality/fixes", "trend": "/api/quality/trend"}])


class IndicatorOut(Shape):
    """One indicator."""

    name: str = Field(examples=["keyword"])
    title: str = Field(examples=["Keywords"])
    dimension: str = Field(examples=["findability"])
    points: int = Field(examples=[30])
    level: str = Field(description="dataset, distribution or either.", examples=["dataset"])
    property: str = Field(examples=["dcat:keyword"])
    decided: str = Field(description="How it is decided.", examples=["there is at least one"])
    fix: str = Field(description="What mends it.", examples=["add a few keywords"])
    metric: str | None = Field(
        description="Its name in DQV; null: it is ours.", examples=["https://piveau.eu/ns/voc#keywordAvailability"]
    )


class IndicatorList(Shape):
    """Every indicator."""

    indicators: list[IndicatorOut]


class FixOut(Shape):
    """What would be won by mending one thing."""

    indicator: str = Field(examples=["keyword"])
    title: str = Field(examples=["Keywords"])
    dimension: str = Field(examples=["findability"])
    points: int = Field(description="For each dataset.", examples=[30])
    datasets: int = Field(description="That lack it.", examples=[847])
    unchecked: int = Field(description="That may lack it: their links were never checked.", examples=[0])
    to_win: float = Field(description="What the mean rises by.", examples=[12.41])
    after: dict[str, float] = Field(description="The score after, by rule.", examples=[{"mean": 282.7, "share": 260.1}])
    band_after: str = Field(description="Of the mean.", examples=["good"])
    words: str = Field(examples=["these 847 datasets lack keywords: 30 points each"])
    fix: str = Field(examples=["add a few keywords"])
    list: str = Field(description="The datasets.", examples=["/api/quality/fixes/keyword/datasets?source=paris"])
    page: str = Field(description="The same for people.", examples=["/quality/keyword?source=paris"])
    file: str = Field(description="As CSV.", examples=["/api/quality/fixes/keyword/datasets.csv?source=paris"])


class WhatIfOut(Shape):
    """The scores if several things were mended."""

    mended: list[str] = Field(examples=[["keyword", "licence"]])
    scores: list[ScoreOut]


class FixList(Shape):
    """What can be won, most first."""

    fixes: list[FixOut]
    what_if: WhatIfOut | None = Field(description="Null: nothing was asked to be mended.")


class LackingOut(Shape):
    """A dataset that lacks something."""

    dataset: str = Field(description="Public key.", examples=["k3vxq2m5dzr7ttq5"])
    title: str | None = Field(examples=["Accidents de la circulation"])
    source: str = Field(examples=["paris"])
    guid: str = Field(examples=["accidents-2024"])
    url: str | None = Field(description="Its page at the source.", examples=["https://opendata.example.org/d/1"])
    points: int = Field(description="Of 405, now.", examples=[245])
    gaps: list[str] = Field(description="All it lacks, worth most first.", examples=[["keyword", "rights"]])


class LackingList(Shape):
    """A page of them."""

    datasets: list[LackingOut]
    next: str | None = Field(examples=["/api/quality/fixes/keyword/datasets?after=12-34"])


class DayOut(Shape):
    """The scores at the end of a day."""

    day: date = Field(examples=["2026-03-01"])
    datasets: int = Field(examples=[2047])
    points: dict[str, float] = Field(description="By rule.", examples=[{"mean": 270.25, "share": 251.0}])
    bands: dict[str, str] = Field(description="By rule.", examples=[{"mean": "good", "share": "good"}])
    dimensions: dict[str, dict[str, float]] = Field(
        description="By rule and dimension.", examples=[{"mean": _DIMENSIONS, "share": _DIMENSIONS}]
    )


class TrendOut(Shape):
    """The days on which scores changed, newest first."""

    days: list[DayOut]
    next: str | None = Field(examples=["/api/quality/trend?before=2026-03-01"])


class SourceQualityOut(Shape):
    """A source with its scores."""

    name: str = Field(examples=["paris"])
    title: str = Field(examples=["Paris Data"])
    latest: DayOut | None = Field(description="Null: nothing of it was assessed.")


class SourceQualityList(Shape):
    """Sources by name."""

    sources: list[SourceQualityOut]
    next: str | None = Field(examples=["/api/quality/sources?after=paris"])


class DatasetScoreOut(Shape):
    """The score of one dataset."""

    reading: str = Field(examples=["now"])
    points: int = Field(examples=[245])
    band: str = Field(examples=["good"])
    dimensions: dict[str, int] = Field(examples=[{"findability": 80}])


class MetOut(Shape):
    """One indicator of one dataset."""

    name: str = Field(examples=["keyword"])
    title: str = Field(examples=["Keywords"])
    dimension: str = Field(examples=["findability"])
    points: int = Field(examples=[30])
    met: bool | None = Field(description="Null: only a link check can tell.", examples=[False])
    fix: str | None = Field(description="What mends it; null: nothing to mend.", examples=["add a few keywords"])


class PartOut(Shape):
    """One distribution, in the order of the dataset."""

    points: int = Field(description="Of those decided on distributions.", examples=[90])
    met: list[str] = Field(examples=[["format", "licence"]])
    unknown: list[str] = Field(examples=[["access_url_status"]])


class DatasetQualityOut(Shape):
    """What one dataset is worth."""

    id: str = Field(description="Public key.", examples=["k3vxq2m5dzr7ttq5"])
    most: int = Field(examples=[405])
    scores: list[DatasetScoreOut]
    indicators: list[MetOut]
    distributions: list[PartOut] = Field(description="The best one counts.")
    filled_in: list[str] = Field(
        description="What its source does not say and DCAT-AP demands.", examples=[["description"]]
    )

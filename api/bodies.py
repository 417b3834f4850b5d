"""The shapes of what is sent to change sources and runs, and of what only an administrator is shown."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas import Shape


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line of text is wanted")
    return text.strip()


Line = Annotated[str, Field(max_length=2000), AfterValidator(_one_line)]
_RULE = {"channel": "email", "to": "ops@example.org", "on": ["failure", "held", "recovery"], "digest_minutes": 5}
_ACCESS = {"secrets": {"Authorization": "env:PARIS_TOKEN"}, "interval": 1.0}


class SourceSettings(Shape):
    """How a source is asked, and whom its runs are told to."""

    options: dict[str, Any] = Field(description="Secrets are hidden.", examples=[{"api_key": "(hidden)"}])
    access: dict[str, Any] = Field(description="Secrets are named, not shown.", examples=[_ACCESS])
    notify: list[dict[str, Any]] = Field(description="Whom to tell what.", examples=[[_RULE]])


class SourceChange(BaseModel):
    """What is to be changed of a source."""

    model_config = ConfigDict(extra="forbid")

    url: Line | None = Field(None, description="Another address.", examples=["https://opendata.example.org"])
    title: Line | None = Field(None, examples=["Paris Data"])
    connector: Line | None = Field(None, examples=["opendatasoft"])
    options: dict[str, Any] | None = Field(None, description="All options of the connector.", examples=[{"rows": 500}])
    schedule: Line | None = Field(
        None,
        description="hourly, daily, weekly, monthly, five cron fields, `every 6h`; null: never.",
        examples=["daily"],
    )
    full_schedule: Line | None = Field(None, description="Of complete walks alone.", examples=["0 4 * * 0"])
    timezone: Line | None = Field(None, description="Of both schedules.", examples=["Europe/Paris"])
    jitter: int | None = Field(None, ge=0, description="Seconds, at most, after the tick.", examples=[600])
    access: dict[str, Any] | None = Field(None, description="How to ask it.", examples=[_ACCESS])
    notify: list[dict[str, Any]] | None = Field(None, description="Whom to tell what.", examples=[[_RULE]])


class NewSource(SourceChange):
    """A source to add."""

    url: Line = Field(description="Address of the portal, its API or a feed.", examples=["https://data.example.org"])
    name: Line | None = Field(None, description="Made of the title when left out.", examples=["paris"])


class NewRun(BaseModel):
    """How to harvest."""

    model_config = ConfigDict(extra="forbid")

    full: bool = Field(False, description="Walk everything, not only what changed.", examples=[True])

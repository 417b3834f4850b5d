"""Every setting of the service, read from the environment (`HARVESTER_*`), documented once and here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEGABYTE = 1 << 20


class Settings(BaseSettings):
    """One frozen value passed to whatever needs it; the tables of the README are made from these descriptions."""

    model_config = SettingsConfigDict(env_prefix="HARVESTER_", frozen=True, extra="ignore")

    data: Path = Field(Path("harvester-data"), description="Directory of the database and the search index.")
    database_url: str = Field(
        "", description="SQLAlchemy URL of the catalogue; empty means SQLite in the data directory."
    )
    public_url: str = Field(
        "",
        description="Address under which the API is reached, the root of the dataset IRIs; empty: host and port.",
    )
    title: str = Field("Unified catalogue", description="Title of the catalogue in pages and exports.")
    publisher: str = Field("Catalogue harvester", description="Name of the publisher of the unified catalogue.")
    language: str = Field("fr", description="Language of the catalogue, preferred when several are offered.")
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, description="Port the API listens on.")
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Private hosts that may be fetched, separated by commas: host, host:port, address or CIDR network.",
    )
    user_agent: str = Field(
        "catalogue-harvester/0.1 (+https://example.org/harvester; contact: admin@example.org)",
        description="User-Agent sent to portals; name a contact, portals block anonymous robots.",
    )
    connect_timeout: float = Field(10.0, description="Seconds to wait for a connection.")
    read_timeout: float = Field(60.0, description="Seconds to wait between two pieces of an answer.")
    total_timeout: float = Field(600.0, description="Seconds one answer may take in all.")
    max_response_bytes: int = Field(
        512 * MEGABYTE, description="Largest answer that is read, after decompression, in bytes."
    )
    retries: int = Field(4, description="How often a failed request is asked again before the run gives up.")
    max_wait: float = Field(
        300.0, description="Longest wait, in seconds, that a portal may ask for before the run gives up until later."
    )
    ca_bundle: Path | None = Field(
        None, description="PEM file of further certificate authorities, for portals with an incomplete or own chain."
    )
    host_interval: float = Field(0.0, description="Least seconds between two requests to one host.")
    host_connections: int = Field(2, description="Most requests under way at once to one host.")
    full_every_days: int = Field(7, description="A complete walk is made at least every so many days.")
    retire_share: float = Field(
        0.10, description="Largest share of a source's datasets that one run may retire without being held."
    )
    retire_least: int = Field(10, description="So many vanished datasets may always be retired, whatever the share.")
    workers: int = Field(4, description="Sources that one worker process harvests at once.")
    dump_schedule: str = Field(
        "30 4 * * *",
        description="When `harvester up` writes dumps of the catalogue and of each space: a preset as of a source, or "
        "five cron fields (UTC); empty for never.",
    )
    dump_formats: Annotated[tuple[str, ...], NoDecode] = Field(
        ("ttl", "rdf", "jsonld", "nt"), description="Formats of those dumps, separated by commas."
    )
    tick_seconds: float = Field(5.0, description="How often the scheduler looks for sources that are due.")

    @property
    def address(self) -> str:
        """Where the API is reached, without a final slash."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @field_validator("private_hosts", "dump_formats", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        """`a, b` or the JSON list `["a", "b"]`."""
        if not isinstance(value, str):
            return value
        return tuple(re.findall(r"[^\s,\"']+", value.strip().removeprefix("[").removesuffix("]")))

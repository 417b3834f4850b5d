"""Every setting of the service, read from the environment (`HARVESTER_*`), documented once and here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEGABYTE = 1 << 20


class Settings(BaseSettings):
    """One frozen value passed to whatever needs it; the tables of the README are made from these descriptions."""

    model_config = SettingsConfigDict(env_prefix="HARVESTER_", frozen=True, extra="ignore")

    data: Path = Field(Path("harvester-data"), description="Directory of the database and the search index.")
    database_url: str = Field(
        "", description="SQLAlchemy URL of the catalogue; empty means SQLite in the data directory."
    )
    database_password_file: Path | None = Field(
        None, description="File that holds the password for `database_url`, which then need not name one."
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
    proxy: SecretStr | None = Field(
        None,
        description="Proxy for all sources, http://user:password@host:port; the variables HTTP_PROXY, HTTPS_PROXY and "
        "NO_PROXY are not heeded. A source may name another one or `direct` in its access.",
    )
    host_interval: float = Field(0.0, description="Least seconds between two requests to one host.")
    max_crawl_delay: float = Field(
        10.0,
        description="Longest Crawl-delay of a host's robots.txt that is heeded, in seconds (10 is what CKAN ships); 0: "
        "robots.txt is not asked for. A source with an interval in its access keeps to that.",
    )
    host_connections: int = Field(2, description="Most requests under way at once to one host.")
    full_every_days: int = Field(
        7,
        description="A complete walk is made at least every so many days; a feed is then read whatever its ETag says.",
    )
    retire_share: float = Field(
        0.10,
        ge=0,
        le=1,
        description="Largest share of a source's datasets that one run may retire without being held; an empty answer "
        "is held whatever its value.",
    )
    retire_least: int = Field(
        10,
        ge=0,
        description="So many vanished datasets may be retired whatever the share, but never more than a quarter of the "
        "source, rounded up, nor the only one: 1 of 3 datasets, 5 of 20, 10 of 40.",
    )
    agree_walks: int = Field(
        3,
        ge=2,
        description="Datasets that so many complete walks in a row did not show are retired even where they are more.",
    )
    agree_hours: float = Field(24.0, ge=0, description="Hours that must lie between the first and last of those walks.")
    ask_at_most: int = Field(
        50,
        ge=0,
        description="So many missing datasets are asked for one by one before a run retires any, where the portal "
        "allows; 0 for none.",
    )
    grace_days: float = Field(
        90.0, ge=0, description="Days that the content of a retired dataset is kept; its identifiers are kept for ever."
    )
    links: bool = Field(
        False,
        description="Whether `harvester up` and `harvester worker` check the addresses of distributions; "
        "`harvester links check` does so whatever this says.",
    )
    links_interval: float = Field(
        1.0, ge=0, description="Least seconds between two requests of link checks to one host, one at a time."
    )
    links_hourly: int = Field(500, ge=1, description="Addresses of one host that are checked in an hour, at most.")
    links_hosts: int = Field(8, ge=1, description="Hosts whose addresses one process checks at once.")
    links_days: float = Field(
        30.0, gt=0, description="Days after which a good address is checked again; failing ones are sooner."
    )
    workers: int = Field(4, description="Sources that one worker process harvests at once.")
    dump_schedule: str = Field(
        "30 4 * * *",
        description="When `harvester up` writes dumps of the catalogue and of each space: a preset as of a source, or "
        "five cron fields (UTC); empty for never.",
    )
    dump_formats: Annotated[tuple[str, ...], NoDecode] = Field(
        ("ttl", "rdf", "jsonld", "nt"), description="Formats of those dumps, separated by commas."
    )
    history_days: int = Field(
        730, ge=0, description="Days for which every past state of a dataset can be read; 0: for ever."
    )
    runs_days: int = Field(
        365,
        ge=0,
        description="Days for which runs and the change log are kept; 0: for ever. The last run of each source, held "
        "runs, and the last change of each dataset always stay.",
    )
    problems_days: int = Field(
        90, ge=0, description="Days for which problems of runs and notices are kept, as above; 0: for ever."
    )
    reconciliations_kept: int = Field(
        10,
        ge=1,
        description="So many reconciliations of one source with one target keep their verdicts by record; the counts "
        "of all of them stay.",
    )
    tick_seconds: float = Field(5.0, description="How often the scheduler looks for sources that are due.")
    lease_seconds: float = Field(
        30.0,
        gt=0,
        description="A worker that gives no sign of life for so long has lost its run: another one goes on with it. "
        "It is reckoned by the clock of the database, whatever those of the workers say.",
    )
    run_attempts: int = Field(
        5, ge=1, description="So often in a row a run may lose its worker without getting any further; then it failed."
    )
    run_hours: float = Field(
        24.0,
        ge=0,
        le=10_000,
        description="So long a run may take, in hours; then it ends as partial, and the next one of its source goes on "
        "where it stopped. 0: as long as it wants.",
    )
    host_runs: int = Field(
        1, ge=1, description="Sources on one host that are harvested at once, by all workers together."
    )
    private: bool = Field(
        False, description="Whether reading needs a token too; `/health/live` and `/health/ready` stay open."
    )
    notify_again_hours: float = Field(
        24.0,
        description="So long a source that fails or is held for the same reason is not told of again.",
    )
    smtp_host: str = Field("", description="Server that sends notices by e-mail; empty: none can be sent.")
    smtp_port: int = Field(587, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to it is kept secret: `starttls`, `tls` (port 465) or `none`."
    )
    smtp_user: str = Field("", description="User there; empty: none is needed.")
    smtp_password: SecretStr | None = Field(None, description="Password there.")
    smtp_password_file: Path | None = Field(None, description="File that holds this password instead.")
    smtp_sender: str = Field("", description="Sender of the e-mails; empty: `harvester@` and the name of this machine.")
    webhook_secret: SecretStr | None = Field(
        None, description="Key of the signatures (HMAC-SHA256) of notices by webhook; without one they are not signed."
    )
    webhook_secret_file: Path | None = Field(None, description="File that holds this key instead.")
    log_format: Literal["logfmt", "json"] = Field(
        "logfmt", description="Form of the log of services: `logfmt` or `json`."
    )

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

"""Sources, runs, records and datasets, and what belongs to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from harvester.catalogue.types import Id, Instant, String, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _source(**options: Any) -> Column[int]:
    return Column("source_id", Id, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, **options)


sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("connector", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("host", String(255), nullable=False, default="", server_default=""),  # of the URL: limits are per host
    Column("schedule", Text),  # null: only harvested when asked
    Column("full_schedule", Text),  # of complete walks alone; null: they come with `schedule`, every so many days
    Column("timezone", String(64), nullable=False, default="UTC", server_default="UTC"),  # of both schedules
    Column("jitter", Integer, nullable=False, default=0, server_default="0"),  # seconds, at most, after the tick
    Column("paused_at", Instant),  # null: not paused
    Column("access", JSON(none_as_null=True)),  # how to ask it: harvester.access.Access; null: as any other
    Column(
        "notify", JSON(none_as_null=True)
    ),  # whom to tell what: list of harvester.notices.notify rules; null: nobody
    Column("failing_since", Instant),  # start of the first of its latest failed runs; null: the last one was good
    Column("created_at", Instant, nullable=False),
    Column("next_run_at", Instant),  # null: never due
    Column("next_full_at", Instant),  # null: never due by `full_schedule`
    Column("complete_at", Instant),  # start of the last complete, error-free walk; null: there was none
    Column("since_at", Instant),  # start of the last error-free walk of any kind; null: there was none
    Column("catalogue", JSON(none_as_null=True)),  # what it says of itself; null: nothing yet
)

# What a run is before it has ended.  A source has at most one such run.
LIVE = ("queued", "running")
LIVE_RUN = text("status IN ('queued', 'running')")

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    _source(),
    Column("mode", String(20), nullable=False),  # full, incremental, replay
    Column("status", String(20), nullable=False),  # queued, running, succeeded, partial, failed, cancelled, held
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),  # null: not claimed yet
    Column("ended_at", Instant),  # null: still queued or running
    Column("heartbeat_at", Instant),  # null: never claimed
    Column("not_before", Instant),  # null: may start at once
    Column("origin", String(20), nullable=False, default="manual", server_default="manual"),  # schedule, manual, api
    Column(
        "attempt", Integer, nullable=False, default=0, server_default="0"
    ),  # claims so far; older ones may not write
    Column("worker", String(200)),  # host and process that claimed it last; null: never claimed
    Column("since_at", Instant),  # null: everything was asked for
    Column("cursor", Text),  # null: nothing read yet, or the walk is over
    Column("state", JSON(none_as_null=True)),  # what else a resumed run must know; null: nothing
    Column("pages", BigInteger, nullable=False, default=0, server_default="0"),
    Column("advertised", BigInteger),  # null: the source states no total
    Column("distinct", BigInteger),  # null: the walk has not come to its end
    Column("accepted", BigInteger),  # records of the source that are active after the run; null: as above
    Column("visible", BigInteger),  # datasets of the catalogue that show them; null: as above
    Column("sound", Boolean),  # a whole walk without a flaw: what it did not show is missing; null: not so
    Column("decided_by", String(100)),  # who confirmed or discarded a held run; null: nobody did
    Column("fetched", BigInteger, nullable=False, default=0),
    Column("created", BigInteger, nullable=False, default=0),
    Column("updated", BigInteger, nullable=False, default=0),
    Column("unchanged", BigInteger, nullable=False, default=0),
    Column("failed", BigInteger, nullable=False, default=0),
    Column("repeated", BigInteger, nullable=False, default=0),
    Column("retired", BigInteger, nullable=False, default=0),
    Column("restored", BigInteger, nullable=False, default=0),
    Column("warnings", BigInteger, nullable=False, default=0),
    Column("code", String(60)),  # null: nothing to say
    Column("message", Text),  # null: nothing to say
    Index(None, "source_id", "id"),
    Index(None, "status"),
    Index("uq_runs_live", "source_id", unique=True, sqlite_where=LIVE_RUN, postgresql_where=LIVE_RUN),
)

problems = Table(
    "problems",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("guid", Text),  # null: it is about the source, not about a record
    Column("stage", String(20), nullable=False),  # fetch, normalise, walk, retire
    Column("severity", String(10), nullable=False),  # error, warning
    Column("code", String(60), nullable=False),
    Column("field", Text),  # null: no single field is to blame
    Column("value", Text),  # null: no single value is to blame
    Column("url", Text),  # null: no address is involved
    Column("message", Text, nullable=False),
    Index(None, "run_id", "id"),
)

ACTIVE = text("status = 'active'")

# A catalogue record: what one source said of one dataset.
records = Table(
    "records",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _source(),
    Column("guid", Text, nullable=False),
    Column("status", String(10), nullable=False),  # active, failed (never accepted), retired
    Column("payload_hash", LargeBinary(16), nullable=False),
    Column("dataset_hash", LargeBinary(16)),  # null: the payload could not be normalised
    Column("dataset_id", Id, ForeignKey("datasets.id")),  # null: the payload could not be normalised
    Column("title", Text),  # null: untitled
    Column("url", Text),  # null: the source gives no page for it
    Column("modified", String(40)),  # as the source states it; null: it does not
    Column("first_seen_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("seen_run_id", Id, nullable=False),
    Column("body_hash", LargeBinary(16)),  # of the answer it came from; null: the connector does not say
    Column("retired_at", Instant),  # null: not retired
    Column("role", String(12)),  # original, republished, loop, unknown; null: nobody has looked yet
    Column("origin", Text),  # the host or portal that it was taken from; null: not republished
    UniqueConstraint("source_id", "guid"),
    Index(None, "source_id", "seen_run_id"),
    Index(None, "source_id", "body_hash"),
    Index(None, "dataset_id"),
    # Counting roles reads this index alone.
    Index("ix_records_role", "source_id", "role", sqlite_where=ACTIVE, postgresql_where=ACTIVE),
)

# Answers whose records are all kept as they were: when the same bytes come again, nothing needs to be read.
bodies = Table(
    "bodies",
    metadata,
    _source(),
    Column("digest", LargeBinary(16), nullable=False),
    Column("run_id", Id, nullable=False),  # the last run that met it
    Column("records", BigInteger, nullable=False),
    Column("next", Text),  # null: it links no further page
    Column("advertised", BigInteger),  # null: it states no total
    Column("url", Text),  # null: the connector does not say
    Column("etag", Text),  # RFC 9110, 8.8.3; null: the portal gave none
    Column("last_modified", Text),  # RFC 9110, 8.8.2, as given; null: the portal gave none
    Column("read_at", Instant),  # when its bytes came last, rather than the word that they are the same; null: unknown
    PrimaryKeyConstraint("source_id", "digest"),
)

# The big columns stand apart, so that scanning records stays cheap.  Both are JSON, compressed with Zstandard.
documents = Table(
    "documents",
    metadata,
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("dataset", LargeBinary),  # null: the payload could not be normalised
)

# Counting and walking what is visible reads this index alone.
VISIBLE = text("retired_at IS NULL AND record_id IS NOT NULL AND merged_into_id IS NULL")

datasets = Table(
    "datasets",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("key", String(32), nullable=False, unique=True),
    Column("iri", Text),  # the IRI its first source gave it, kept for ever; null: it has only ours
    Column("record_id", Id),  # the record shown; null: all its records are retired
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("retired_at", Instant),  # null: visible
    Column("merged_into_id", Id),  # null: it stands for itself
    # An IRI may be longer than PostgreSQL's other indexes take.
    Index(None, "iri", postgresql_using="hash"),
    Index(None, "changed_at"),
    Index(None, "merged_into_id"),
    Index("ix_datasets_visible", "id", sqlite_where=VISIBLE, postgresql_where=VISIBLE),
)

# Every identifier ever seen of a dataset: kept when its records change or retire, moved when it is merged.
identifiers = Table(
    "identifiers",
    metadata,
    Column("dataset_id", Id, nullable=False),
    Column("notation", Text, nullable=False),
    Column("agency", Text, nullable=False),  # who gave it: the source of a guid, else what the record says; may be ""
    Column("first_seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("dataset_id", "notation", "agency"),
    sqlite_with_rowid=False,
)

# The log that feeds the search index and a run's diff.
changes = Table(
    "changes",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("dataset_id", Id, nullable=False),
    Column("record_id", Id, nullable=False),
    Column("run_id", Id),  # null: made by hand
    Column("action", String(10), nullable=False),  # created, updated, retired, restored, renamed, joined, split
    Column("at", Instant, nullable=False),
    Index(None, "run_id", "seq"),
    Index(None, "dataset_id", "seq"),
)

unmatched = Table(
    "unmatched",
    metadata,
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("vocabulary", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("record_id", "vocabulary", "text"),
)

# A named part of the catalogue: the datasets that a search with these words and filters finds.
spaces = Table(
    "spaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", JSON, nullable=False),  # by language
    Column("description", JSON, nullable=False),  # by language
    Column("q", Text, nullable=False),
    Column("filters", JSON, nullable=False),  # name -> list of values
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# Identifiers given out in blocks, so that a batch is written without asking for each one.
counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("next", BigInteger, nullable=False),
)

# What became of each record, by name: a run's diff and a dataset's history.  Kept after runs and sources are gone.
revisions = Table(
    "revisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", Id),  # null: made by hand
    Column("source_id", Id, nullable=False),
    Column("record_id", Id, nullable=False),
    Column("dataset_id", Id),  # null: the record was never accepted
    Column("guid", Text, nullable=False),
    Column("title", Text),  # at that time; null: untitled
    Column("action", String(10), nullable=False),  # created, updated, retired, restored, renamed, vanished
    Column("at", Instant, nullable=False),
    Column("since_at", Instant),  # since when the state before it had been so; null: there was none
    # JSON, compressed: what is needed to tell from what to what, and to read the state before; null: no field changed
    Column("delta", LargeBinary),
    Index(None, "run_id", "action", "id"),
    Index(None, "record_id", "id"),
    Index(None, "dataset_id", "id"),
)

# Who may do what through the API; only a digest of each token is kept.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),  # read, run, admin
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),  # null: never
    Column("used_at", Instant),  # null: never used
    Column("revoked_at", Instant),  # null: it is good
)

# Messages about runs, until they are sent; they outlive the process that wrote them.
notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    _source(),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("event", String(20), nullable=False),  # failure, held, recovery, ended
    Column("channel", String(20), nullable=False),  # email, webhook
    Column("target", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),  # the digest or the next attempt
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent_at", Instant),  # null: not yet
    Column("error", Text),  # of the last attempt; null: none failed
    Index(None, "run_id"),
    Index(None, "sent_at", "due_at"),
    Index(None, "source_id", "id"),
)

"""Addresses of distributions, what is known of each, who names it, and the hosts that are asked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, text

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id, Instant, String, Text

# Each address once, under a digest of its canonical form.
addresses = Table(
    "addresses",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),
    Column("host", String(255), nullable=False),  # "": it cannot be asked
    Column("state", String(12), nullable=False),  # unchecked, ok, failing, broken, unknown
    Column("fault", String(20)),  # what is wrong; null: nothing, or not checked
    Column("status", Integer),  # of the last answer; null: none came
    Column("head_status", Integer),  # what HEAD was answered; null: nothing
    Column("checked_at", Instant),  # null: never
    Column("next_check_at", Instant),  # null: it cannot be asked
    Column("failures", Integer, nullable=False, default=0, server_default="0"),  # in a row
    Column("failing_since", Instant),  # the first of these failures; null: the last check was good
    Column("since", Instant),  # when its state and fault became what they are; null: not checked
    Column("target", Text),  # where it has moved to for good; null: it has not
    Column("media_type", String(200)),  # as the server names it; null: it does not
    Column("length", BigInteger),  # as the server says; null: it does not
    Column("format", String(40)),  # what its first bytes are; null: cannot be told
    Column("etag", Text),  # validators of what was looked into; null: the server gave none
    Index(None, "host", "next_check_at"),
    Index(None, "state", "id"),
)

FAULTY = text("severity IS NOT NULL")

# Where a record names an address; what is wrong depends on what it promises.
link_uses = Table(
    "link_uses",
    metadata,
    Column("record_id", Id, nullable=False),
    Column("link_id", BigInteger, nullable=False),
    Column("dataset_id", Id, nullable=False),
    Column("source_id", Id, nullable=False),
    Column("number", Integer, nullable=False),  # of the first distribution that names it, from 0
    Column("role", String(10), nullable=False),  # access, download
    Column("declared", String(100), nullable=False),  # codes of formats, separated by spaces; may be ""
    Column("promised", Boolean, nullable=False),  # whether a file must be there, not a page about it
    Column("severity", String(10)),  # broken, warning, notice; null: nothing is wrong, or it is not checked
    Column("fault", String(20)),  # null: as above
    PrimaryKeyConstraint("record_id", "link_id"),
    Index(None, "link_id"),
    Index(None, "dataset_id"),
    Index(None, "source_id", "link_id"),
    Index("ix_link_uses_faulty", "source_id", "record_id", "link_id", sqlite_where=FAULTY, postgresql_where=FAULTY),
    sqlite_with_rowid=False,
)

# How the links of a dataset are as a whole: what the search filters by.  `seq` counts up with each change.
link_datasets = Table(
    "link_datasets",
    metadata,
    Column("dataset_id", Id, primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False),  # broken, suspect, ok, unchecked
    Column("seq", BigInteger, nullable=False),
    Index(None, "seq"),
)

# The queue: hosts by when they may be asked next; whoever asks one has put that off until it is given up for lost.
link_hosts = Table(
    "link_hosts",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("next_at", Instant),  # null: nothing of it will be due
    Column("not_before", Instant),  # it is down, asked to be left alone or has had its share; null: none of these
    Column("claim", BigInteger, nullable=False, default=0, server_default="0"),  # older ones may not write
    Column("worker", String(200)),  # who asks it now; null: nobody
    Column("failures", Integer, nullable=False, default=0, server_default="0"),  # without a connection, in a row
    Column("failing_since", Instant),  # the first of these; null: the last check found it up
    Column("hour_at", Instant),  # when the hour began that is counted; null: never asked
    Column("hour_count", Integer, nullable=False, default=0, server_default="0"),  # addresses asked in it
    Index(None, "next_at"),
)

# Links by state, and under "seq" the last change of a dataset's state; empty until links are checked at all.
link_totals = Table(
    "link_totals",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

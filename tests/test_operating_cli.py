"""Tokens and notices on the command line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy import select, update

from harvester import tokens
from harvester.catalogue import store
from harvester.catalogue.database import open_engine, writing
from harvester.catalogue.tables import runs, sources
from harvester.notices import notify
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.databases import database_url
from tests.test_cli import command_in

pytestmark = pytest.mark.usefixtures("database")


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    harvester = command_in(tmp_path)
    made = harvester("token", "create", "nightly", "--scope", "run", "--days", "90")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    engine = open_engine(Settings(data=tmp_path, database_url=database_url(tmp_path)))
    with engine.connect() as connection:
        who = tokens.known(connection, token, utcnow())
    engine.dispose()
    assert who is not None
    assert (who.name, who.scope) == ("nightly", "run")
    again = harvester("token", "create", "nightly", "--scope", "run")
    assert (again.returncode, "revoke it first" in again.stderr) == (2, True)
    listed = harvester("token", "list").stdout
    assert "nightly" in listed
    assert "good" in listed
    assert token not in listed
    assert harvester("token", "revoke", "nightly").returncode == 0
    assert "revoked" in harvester("token", "list").stdout
    assert harvester("token", "revoke", "nightly").returncode == 2


@pytest.mark.one_database("sqlite", reason="nothing of it depends on the database")
def test_the_keys_in_the_address_of_a_source_are_not_shown(tmp_path: Path) -> None:
    harvester = command_in(tmp_path)
    harvester("source", "add", "https://a.example/?api_key=s3cret", "--connector", "ckan", "--name", "a")
    for shown in (harvester("source", "show", "a"), harvester("source", "list")):
        assert shown.returncode == 0
        assert "https://a.example" in shown.stdout
        assert "s3cret" not in shown.stdout


@pytest.mark.one_database("sqlite", reason="nothing of it depends on the database")
def test_the_keys_in_the_address_of_a_webhook_are_not_shown(tmp_path: Path) -> None:
    harvester = command_in(tmp_path)
    rules = '[{"channel": "webhook", "to": "https://hooks.example/s3cret?token=s3cret"}]'
    harvester("source", "add", "https://a.example/", "--connector", "ckan", "--name", "a", "--notify", rules)
    shown = harvester("source", "show", "a").stdout
    assert "https://hooks.example/***" in shown
    assert "s3cret" not in shown


@pytest.mark.one_database("sqlite", reason="nothing of it depends on the database")
def test_whether_people_are_reached_can_be_tried(tmp_path: Path) -> None:
    harvester = command_in(tmp_path)
    assert harvester("source", "add", "https://a.example.org", "--connector", "ckan", "--name", "a").returncode == 0
    nobody = harvester("notify", "test", "a")
    assert (nobody.returncode, "nobody is told" in nobody.stderr) == (2, True)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/t0p-s3cret"
        engine = open_engine(Settings(data=tmp_path))
        with writing(engine) as connection:
            rules = notify.checked([{"channel": "webhook", "to": address}, {"channel": "email", "to": "a@example.org"}])
            connection.execute(update(sources).values(notify=rules))
        engine.dispose()
        tried = harvester("notify", "test", "a")
    assert tried.returncode == 1
    assert "not sent webhook" in tried.stderr
    assert "HARVESTER_SMTP_HOST" in tried.stderr
    engine = open_engine(Settings(data=tmp_path))
    with writing(engine) as connection:
        row = connection.execute(select(sources)).one()
        for rule in notify.loaded(row.notify):
            run_id = store.add_run(connection, row.id, "full", "running", utcnow())
            connection.execute(update(runs).values(status="failed"))
            notify.queue(connection, row.id, run_id, "failure", rule, utcnow())
    engine.dispose()
    listed = harvester("notify", "list")
    assert listed.returncode == 0
    assert "t0p" not in tried.stdout + tried.stderr + listed.stdout
    assert "a@example.org" in listed.stdout

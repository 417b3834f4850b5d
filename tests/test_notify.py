"""Who is told what about runs: rules, the outbox, and messages that really leave this process."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem
from harvester.catalogue.tables import notices, records, runs, sources
from harvester.errors import UsageError
from harvester.harvest import Result, Tally
from harvester.notices import notify
from harvester.settings import Settings
from tests.catalogues import NOW
from tests.misbehaving import CERTIFICATE, tls

MAIL = {"channel": "email", "to": "ops@example.org"}


class Sink(socketserver.ThreadingTCPServer):
    """A server of e-mail that keeps what it is given; `refuses` answers 451 to every message."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.received: list[tuple[str, bytes]] = []
        self.refuses = False
        self.tls: ssl.SSLContext | None = None
        self.logins: list[str] = []

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(body, policy=policy.default) for _, body in self.received]


class Talk(socketserver.StreamRequestHandler):
    """One conversation (RFC 5321)."""

    server: Sink

    def handle(self) -> None:
        self.say("220 sink")
        to = ""
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].split(":")[0].upper()
            if word == "EHLO" and self.server.tls:
                self.say("250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN")
                continue
            if word == "STARTTLS" and self.server.tls:
                self.secure(self.server.tls)
                continue
            if word == "AUTH":
                self.server.logins.append(base64.b64decode(line.split(" ")[2]).decode())
                self.say("235 welcome")
                continue
            if word == "RCPT":
                to = line.split("<")[1].split(">")[0]
            if word == "DATA":
                self.say("354 go on")
                self.take(to)
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 good")

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def secure(self, context: ssl.SSLContext) -> None:
        self.say("220 go on")
        with suppress(ssl.SSLError):
            self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)

    def take(self, to: str) -> None:
        body = b""
        while (line := self.rfile.readline()) != b".\r\n":
            body += line[1:] if line.startswith(b"..") else line
        if self.server.refuses:
            self.say("451 try later")
            return
        self.server.received.append((to, body))
        self.say("250 taken")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Hook(HTTPServer):
    """A webhook that keeps what it is sent, and answers with the statuses given, then 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/t0p-s3cret"


class Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with serving(Sink()) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hook]:
    with serving(Hook()) as server:
        yield server


def mailing(settings: Settings, sink: Sink) -> Settings:
    changed = {"smtp_host": "127.0.0.1", "smtp_port": sink.server_address[1], "smtp_security": "none"}
    return settings.model_copy(update=changed | {"smtp_sender": "harvester@data.example.org"})


def source(engine: Engine, *rules: dict[str, Any], name: str = "paris", **values: Any) -> int:
    row = {"title": name.title(), "connector": "ckan", "url": f"https://u:pw@{name}.example.org", "options": {}}
    with writing(engine) as connection:
        saved = {"name": name, "created_at": NOW, "notify": notify.checked(list(rules)), **row, **values}
        return store.add_source(connection, saved)


def ended(engine: Engine, settings: Settings, source_id: int, status: str, now: datetime = NOW, **how: Any) -> int:
    """A run of a source that ends so."""
    with writing(engine) as connection:
        run_id = store.add_run(connection, source_id, "full", "running", now)
        values = {"status": status, "ended_at": now, "code": how.get("code"), "message": how.get("message")}
        connection.execute(update(runs).where(runs.c.id == run_id).values(**values))
        row = connection.execute(select(sources).where(sources.c.id == source_id)).one()
        notify.run_ended(connection, settings, row, run_id, Result(row.name, status, Tally(), how.get("code")), now)
    return run_id


def waiting(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [
            (row.event, row.target)
            for row in connection.execute(select(notices).where(notices.c.sent_at.is_(None)).order_by(notices.c.id))
        ]


@pytest.mark.parametrize(
    "rule",
    [
        {"channel": "pigeon", "to": "ops@example.org"},
        {"channel": "email", "to": "ops"},
        {"channel": "email", "to": "ops@example.org\nBcc: all@example.org"},
        {"channel": "email", "to": "ops@example.org, all@example.org"},
        {"channel": "email", "to": f"{'o' * 300}@example.org"},
        {"channel": "webhook", "to": "ftp://example.org"},
        {"channel": "webhook", "to": "https://"},
        {"channel": "webhook", "to": "https://example.org/a\r\nb"},
        {"channel": "webhook", "to": "http://[::1"},
        {"channel": "email", "to": "ops@example.org", "on": []},
        {"channel": "email", "to": "ops@example.org", "on": ["success"]},
        {"channel": "email", "to": "ops@example.org", "digest_minutes": -1},
        {"channel": "email", "to": "ops@example.org", "secret": "x"},
        {"channel": "email", "to": None},
        "ops@example.org",
        7,
    ],
)
def test_a_rule_that_does_not_fit_is_refused(rule: Any) -> None:
    with pytest.raises(UsageError, match="notify") as found:
        notify.checked([rule])
    assert found.value.code == "bad-notify"


def test_rules_are_saved_in_full() -> None:
    assert notify.checked([MAIL]) == [MAIL | {"on": ["failure", "held", "recovery"], "digest_minutes": 5}]
    with pytest.raises(UsageError):
        notify.checked({"channel": "email"})


@pytest.mark.parametrize(
    ("before", "status", "event"),
    [
        (None, "failed", "failure"),
        ("failed", "failed", "failure"),
        (None, "held", "held"),
        ("failed", "succeeded", "recovery"),
        ("failed", "partial", "recovery"),
        ("held", "succeeded", "recovery"),
        ("succeeded", "succeeded", "ended"),
        (None, "succeeded", "ended"),
        ("failed", "cancelled", "ended"),
    ],
)
def test_what_happened_depends_on_the_run_before(before: str | None, status: str, event: str) -> None:
    assert notify.event_of(status, before) == event


def test_each_rule_is_told_what_it_asks_for(engine: Engine, settings: Settings) -> None:
    one = source(
        engine,
        MAIL | {"to": "all@example.org", "on": ["always"]},
        MAIL | {"to": "bad@example.org", "on": ["failure", "held"]},
        MAIL | {"to": "good@example.org", "on": ["recovery"]},
    )
    for status in ("succeeded", "failed", "cancelled", "succeeded", "held"):
        ended(engine, settings, one, status)
    assert waiting(engine) == [
        ("ended", "all@example.org"),
        ("failure", "all@example.org"),
        ("failure", "bad@example.org"),
        ("ended", "all@example.org"),
        ("recovery", "all@example.org"),
        ("recovery", "good@example.org"),
        ("held", "all@example.org"),
        ("held", "bad@example.org"),
    ]


@pytest.mark.parametrize(("status", "code", "other"), [("failed", "http-500", "timeout"), ("held", "gap", "empty")])
def test_what_goes_on_is_told_once_a_day(
    engine: Engine, settings: Settings, status: str, code: str, other: str
) -> None:
    one = source(engine, MAIL)
    for hour in range(30):
        ended(engine, settings, one, status, NOW + timedelta(hours=hour), code=code)
    assert len(waiting(engine)) == 2
    ended(engine, settings, one, status, NOW + timedelta(hours=31), code=other)
    assert len(waiting(engine)) == 3


def test_two_reasons_by_turns_are_told_once_each(engine: Engine, settings: Settings) -> None:
    one = source(engine, MAIL, failing_since=NOW - timedelta(minutes=1))
    for hour in range(20):
        ended(engine, settings, one, "failed", NOW + timedelta(hours=hour), code=("http-501", "host-down")[hour % 2])
    assert len(waiting(engine)) == 2


def test_a_failure_after_a_recovery_is_told_again(engine: Engine, settings: Settings) -> None:
    one, times = source(engine, MAIL), iter(NOW + timedelta(minutes=number) for number in range(9))
    for status, code in (("failed", "timeout"), ("succeeded", None), ("failed", "http-500")):
        ended(engine, settings, one, status, next(times), code=code)
    with writing(engine) as connection:
        store.edit_source(connection, one, {"failing_since": NOW + timedelta(minutes=2)})
    ended(engine, settings, one, "failed", next(times), code="timeout")
    assert [event for event, _ in waiting(engine)] == ["failure", "recovery", "failure", "failure"]


def test_a_run_whose_worker_died_is_told_of_once(engine: Engine, settings: Settings) -> None:
    one, other = source(engine, MAIL), source(engine, MAIL, name="lyon")
    source(engine, name="mute")
    with writing(engine) as connection:
        for source_id, code in ((one, "worker-lost"), (other, "timeout")):
            run_id = store.add_run(connection, source_id, "full", "running", NOW)
            values = {"status": "failed", "code": code, "ended_at": NOW}
            connection.execute(update(runs).where(runs.c.id == run_id).values(**values))
    assert notify.overlooked(engine, settings, NOW + timedelta(hours=2)) == 0
    assert notify.overlooked(engine, settings, NOW + timedelta(minutes=1)) == 1
    assert notify.overlooked(engine, settings, NOW + timedelta(minutes=2)) == 0
    assert waiting(engine) == [("failure", "ops@example.org")]


def test_nothing_leaves_before_its_time_and_then_as_one_message(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 10}), "failed")
    ended(engine, settings, source(engine, MAIL, name="lyon"), "failed", NOW + timedelta(minutes=9))
    assert notify.send_due(engine, settings, NOW + timedelta(minutes=9)) == 0
    assert notify.send_due(engine, settings, NOW + timedelta(minutes=10)) == 1
    assert [mail["subject"] for mail in sink.mails] == ["[Unified catalogue] 2 failed"]
    assert notify.send_due(engine, settings, NOW + timedelta(days=1)) == 0
    assert waiting(engine) == []


def test_five_hundred_failures_at_once_are_one_message(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    for number in range(500):
        ended(engine, settings, source(engine, MAIL, name=f"s{number}"), "failed", code="timeout")
    assert notify.send_due(engine, settings, NOW + timedelta(minutes=5)) == 1
    text = sink.mails[0].get_content()
    assert sink.mails[0]["subject"] == "[Unified catalogue] 500 failed"
    assert all(f"s{number} " in text for number in range(500))
    assert len(text) < 100_000


def test_a_letter_says_what_to_do(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    one = source(engine, MAIL, title="Paris\r\nBcc: all@example.org", failing_since=NOW)
    run_id = ended(engine, settings, one, "failed", code="http-404", message="HTTP 404\r\nBcc: x@example.org")
    with writing(engine) as connection:
        problem = Problem("fetch", "error", "bad-date", "no date", "g-1", "modified", "12/13", "https://example.org/d")
        store.report(connection, run_id, [problem])
    notify.send_due(engine, settings, NOW + timedelta(minutes=5))
    (to, raw), mail = sink.received[0], sink.mails[0]
    assert to == "ops@example.org"
    assert b"\r\nBcc:" not in raw
    assert mail["subject"] == "[Unified catalogue] paris failed (http-404)"
    assert mail["auto-submitted"] == "auto-generated"
    text = mail.get_content()
    for part in (
        "Check the URL of the source",
        "Failing since 2026-03-01",
        "g-1",
        "modified",
        "12/13",
        f"/runs/{run_id}",
    ):
        assert part in text
    assert "pw" not in text


def test_what_would_go_is_told_by_name(engine: Engine, settings: Settings, hook: Hook) -> None:
    one = source(engine, {"channel": "webhook", "to": hook.url, "digest_minutes": 0})
    run_id = ended(engine, settings, one, "held", code="too-many-vanished")
    known = {"source_id": one, "status": "active", "payload_hash": b"", "first_seen_at": NOW, "changed_at": NOW}
    with writing(engine) as connection:
        seen = [run_id - 1] * 30 + [run_id]
        rows = [{"id": n + 1, "guid": f"g{n}", "title": f"T{n}", "seen_run_id": run} for n, run in enumerate(seen)]
        connection.execute(insert(records), [known | row for row in rows])
    assert notify.send_due(engine, settings, NOW) == 1
    told = json.loads(hook.received[0][1])["notices"][0]
    assert told["would_go_total"] == 30
    assert told["would_go"] == [{"guid": f"g{n}", "title": f"T{n}"} for n in range(20)]
    assert told["source"] == {"name": "paris", "title": "Paris", "url": "https://paris.example.org"}
    assert told["help"].startswith("Look at the names")
    assert told["url"].endswith(f"/runs/{run_id}")


def test_what_was_decided_meanwhile_is_not_asked_for(engine: Engine, settings: Settings, hook: Hook) -> None:
    one = source(engine, {"channel": "webhook", "to": hook.url, "digest_minutes": 0})
    run_id = ended(engine, settings, one, "held", code="too-many-vanished")
    gone = {"source_id": one, "status": "active", "payload_hash": b"", "first_seen_at": NOW, "changed_at": NOW}
    with writing(engine) as connection:
        connection.execute(insert(records).values(id=1, guid="g", title="T", seen_run_id=run_id - 1, **gone))
        connection.execute(update(runs).values(status="partial", decided_by="ana"))
    assert notify.send_due(engine, settings, NOW) == 1
    told = json.loads(hook.received[0][1])["notices"][0]
    assert (told["event"], told["run"]["status"], told["would_go"]) == ("held", "partial", [])
    assert (told["help"], told["run"]["decided_by"]) == (None, "ana")


def test_a_letter_says_who_decided_meanwhile(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    ended(engine, settings, source(engine, MAIL), "held", code="too-many-vanished")
    with writing(engine) as connection:
        connection.execute(update(runs).values(status="partial", decided_by="token ops"))
    notify.send_due(engine, settings, NOW + timedelta(minutes=5))
    text = sink.mails[0].get_content()
    assert "What to do: nothing, it was decided by token ops." in text
    assert "Look at the names" not in text


def test_a_webhook_is_told_of_the_problems(engine: Engine, settings: Settings, hook: Hook) -> None:
    source_id = source(engine, {"channel": "webhook", "to": hook.url, "digest_minutes": 0})
    ended(engine, settings, source_id, "failed", code="http-500", message="HTTP 500")
    with writing(engine) as connection:
        run_id = connection.execute(select(runs.c.id)).scalar_one()
        problem = Problem("fetch", "error", "http-500", "HTTP 500", None, None, "500", "https://paris.example/")
        store.report(connection, run_id, [problem])
    assert notify.send_due(engine, settings, NOW) == 1
    [told] = json.loads(hook.received[0][1])["notices"][0]["problems"]
    assert (told["code"], told["value"], told["url"]) == ("http-500", "500", "https://paris.example/")


def test_notices_do_not_tell_the_keys_in_addresses(engine: Engine, settings: Settings, hook: Hook) -> None:
    rule = {"channel": "webhook", "to": hook.url, "digest_minutes": 0}
    one = source(engine, rule, url="https://u:pw@paris.example.org/data.json?api_key=s3cret")
    ended(engine, settings, one, "failed")
    assert notify.send_due(engine, settings, NOW) == 1
    assert "s3cret" not in (body := hook.received[0][1].decode())
    assert "https://paris.example.org/data.json?api_key=***" in body


def test_a_webhook_can_tell_that_it_is_us(engine: Engine, settings: Settings, hook: Hook, tmp_path: Any) -> None:
    (tmp_path / "key").write_text("k3y\n")
    settings = settings.model_copy(update={"webhook_secret_file": tmp_path / "key"})
    ended(engine, settings, source(engine, {"channel": "webhook", "to": hook.url, "digest_minutes": 0}), "failed")
    notify.send_due(engine, settings, NOW)
    headers, body = hook.received[0]
    signed = headers["x-harvester-timestamp"].encode() + b"." + body
    assert headers["x-harvester-signature"] == "sha256=" + hmac.new(b"k3y", signed, "sha256").hexdigest()
    assert headers["content-type"] == "application/json"


def test_what_fails_is_tried_again_later_and_not_for_ever(engine: Engine, settings: Settings, hook: Hook) -> None:
    ended(engine, settings, source(engine, {"channel": "webhook", "to": hook.url, "digest_minutes": 0}), "failed")
    hook.statuses = [500] * 100
    now, tries = NOW, []
    for _ in range(60 * 24):
        before = len(hook.received)
        notify.send_due(engine, settings, now)
        tries += [now] * (len(hook.received) - before)
        now += timedelta(minutes=1)
    gaps = [int((later - sooner).total_seconds() // 60) for sooner, later in pairwise(tries)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert max(gaps) == 60
    assert len(tries) == 12
    with engine.connect() as connection:
        row = connection.execute(select(notices)).one()
    assert row.error == "127.0.0.1 answered HTTP 500"
    assert row.sent_at is None


def test_a_target_that_is_not_reached_is_left_alone(engine: Engine, settings: Settings, hook: Hook) -> None:
    rule = {"channel": "webhook", "to": hook.url, "digest_minutes": 0}
    one, hook.statuses = source(engine, rule), [500] * 3
    now = NOW
    for due in (0, 1, 3):
        now = NOW + timedelta(minutes=due)
        assert notify.send_due(engine, settings, now) == 0
        ended(engine, settings, source(engine, rule, name=f"s{due}") if due else one, "failed", now)
        notify.send_due(engine, settings, now)
    assert [len(json.loads(body)["notices"]) for _, body in hook.received] == [1, 1, 2]
    assert notify.send_due(engine, settings, now + timedelta(minutes=3)) == 0
    assert notify.send_due(engine, settings, now + timedelta(minutes=4)) == 1
    assert len(json.loads(hook.received[-1][1])["notices"]) == 3


def test_what_is_urgent_takes_along_what_waits(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 600}), "failed")
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}, name="lyon"), "failed")
    assert notify.send_due(engine, settings, NOW) == 1
    assert [mail["subject"] for mail in sink.mails] == ["[Unified catalogue] 2 failed"]


def test_a_message_that_was_refused_once_arrives(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    sink.refuses = True
    assert notify.send_due(engine, settings, NOW) == 0
    sink.refuses = False
    assert notify.send_due(engine, settings, NOW + timedelta(minutes=1)) == 1
    assert len(sink.received) == 1


def test_while_one_sends_nobody_else_does(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings = mailing(settings, sink)
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    threads = [threading.Thread(target=notify.send_due, args=(engine, settings, NOW)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.received) == 1


@pytest.mark.parametrize("to", ["http://10.0.0.1/x", "http://169.254.169.254/latest", "http://2130706433:{port}/"])
def test_a_webhook_cannot_reach_into_this_network(engine: Engine, settings: Settings, hook: Hook, to: str) -> None:
    settings = settings.model_copy(update={"private_hosts": ()})
    rule = {"channel": "webhook", "to": to.format(port=hook.server_port), "digest_minutes": 0}
    ended(engine, settings, source(engine, rule), "failed")
    assert notify.send_due(engine, settings, NOW) == 0
    assert hook.received == []
    with engine.connect() as connection:
        assert "private address" in str(connection.execute(select(notices.c.error)).scalar_one())


def test_errors_do_not_tell_the_address_of_a_webhook(engine: Engine, settings: Settings, hook: Hook) -> None:
    address = hook.url.replace(str(hook.server_port), "1")
    ended(engine, settings, source(engine, {"channel": "webhook", "to": address, "digest_minutes": 0}), "failed")
    notify.send_due(engine, settings, NOW)
    with engine.connect() as connection:
        assert "t0p-s3cret" not in str(connection.execute(select(notices.c.error)).scalar_one())


def secured(engine: Engine, settings: Settings, sink: Sink, folder: Path) -> Settings:
    """Settings to mail through a server with a certificate for portal.example, and a notice that is due."""
    sink.tls = tls(CERTIFICATE, folder)
    (folder / "bundle.pem").write_text(CERTIFICATE[CERTIFICATE.index("-----BEGIN CERT") :])
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    login = {"smtp_user": "me", "smtp_password": SecretStr("s3cret"), "ca_bundle": folder / "bundle.pem"}
    return mailing(settings, sink).model_copy(update={"smtp_security": "starttls", **login})


def test_mail_is_sent_over_a_secret_line(
    engine: Engine, settings: Settings, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = secured(engine, settings, sink, tmp_path).model_copy(update={"smtp_host": "portal.example"})
    found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", sink.server_address)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found])
    assert notify.send_due(engine, settings, NOW) == 1
    assert sink.logins == ["\0me\0s3cret"]
    assert len(sink.received) == 1


@pytest.mark.parametrize("offered", [True, False], ids=["certificate of another", "no line at all"])
def test_no_password_is_sent_without_one(
    engine: Engine, settings: Settings, sink: Sink, tmp_path: Path, offered: bool
) -> None:
    settings = secured(engine, settings, sink, tmp_path)
    sink.tls = sink.tls if offered else None
    assert notify.send_due(engine, settings, NOW) == 0
    assert (sink.logins, sink.received) == ([], [])
    with engine.connect() as connection:
        error = str(connection.execute(select(notices.c.error)).scalar_one())
    assert ("CERTIFICATE_VERIFY_FAILED" if offered else "STARTTLS") in error
    assert "s3cret" not in error


def test_without_a_server_for_mail_the_notice_says_so(engine: Engine, settings: Settings) -> None:
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    notify.send_due(engine, settings, NOW)
    with engine.connect() as connection:
        assert "HARVESTER_SMTP_HOST" in str(connection.execute(select(notices.c.error)).scalar_one())


@pytest.mark.parametrize("wrong", [{"smtp_host": "mail..example.org"}, {"smtp_sender": "a\nb@example.org"}])
def test_a_message_that_cannot_be_made_does_not_silence_the_others(
    engine: Engine, settings: Settings, sink: Sink, hook: Hook, wrong: dict[str, Any]
) -> None:
    settings = mailing(settings, sink).model_copy(update=wrong)
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    rule = {"channel": "webhook", "to": hook.url, "digest_minutes": 0}
    ended(engine, settings, source(engine, rule, name="lyon"), "failed")
    assert notify.send_due(engine, settings, NOW) == 1
    assert len(hook.received) == 1
    with engine.connect() as connection:
        errors = list(connection.execute(select(notices.c.error).where(notices.c.channel == "email")).scalars())
    assert all(error.endswith("the log has the rest") for error in errors)
    assert len(errors) == 1


def test_the_sender_sends_until_it_is_stopped(engine: Engine, settings: Settings, sink: Sink) -> None:
    settings, done = mailing(settings, sink), threading.Event()
    ended(engine, settings, source(engine, MAIL | {"digest_minutes": 0}), "failed")
    sender = notify.Sender(engine, settings, lambda: NOW)
    sender.start()
    while waiting(engine) and not done.wait(0.02):
        pass
    sender.stop()
    assert len(sink.received) == 1

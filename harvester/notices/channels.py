"""How notices leave: e-mail by SMTP, and webhooks signed with HMAC-SHA256, to addresses that may be asked."""

from __future__ import annotations

import hashlib
import hmac
import smtplib
import socket
import time
from contextlib import AbstractContextManager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from harvester.errors import HarvesterError, UsageError
from harvester.net import backend, guard
from harvester.settings import Settings

SECONDS = 30.0


class Undelivered(HarvesterError):
    """A notice could not be handed over; it is tried again later."""

    code = "undelivered"


def mail(settings: Settings, to: str, subject: str, text: str, identity: str, now: datetime) -> None:
    """Hand one e-mail to the server of the settings.  Raises `Undelivered`."""
    if not settings.smtp_host:
        raise Undelivered("no server for e-mail is set: HARVESTER_SMTP_HOST")
    sender = settings.smtp_sender or f"harvester@{socket.getfqdn()}"
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    # The same notices sent again keep their name, so that a mail reader may show them once.
    message["Message-ID"] = f"<{identity}@{sender.rpartition('@')[2].strip('>')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no robot shall answer
    message.set_content(text)
    try:
        with _server(settings) as server:
            server.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"{settings.smtp_host}:{settings.smtp_port}: {type(error).__name__}: {error}") from error


def post(
    settings: Settings,
    url: str,
    document: dict[str, Any],
    identity: str,
    now: datetime,
    resolve: guard.Resolver = guard.resolve,
) -> None:
    """Post a document to a webhook, guarded as portals are.  Raises `Undelivered` unless it answers 2xx."""
    body, stamp = orjson.dumps(document, default=str), str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": settings.user_agent,
        "X-Harvester-Delivery": identity,
        "X-Harvester-Timestamp": stamp,
    }
    key = secret(settings.webhook_secret, settings.webhook_secret_file)
    if key:
        headers["X-Harvester-Signature"] = signature(key, stamp, body)
    try:
        # What it answers is not wanted, however long it is.
        with (
            _client(settings, resolve) as client,
            backend.due(time.monotonic() + SECONDS),
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, guard.RefusedError, OSError) as error:
        raise Undelivered(f"{_host(url)}: {type(error).__name__}: {error}") from error
    if not 200 <= status < 300:
        raise Undelivered(f"{_host(url)} answered HTTP {status}")


def signature(key: str, stamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC of the time stamp, a dot, and the body: neither can be changed, nor sent again later."""
    return "sha256=" + hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def secret(value: SecretStr | None, file: Path | None) -> str:
    """The secret of two settings: itself, or the file that holds it.  Raises `UsageError` when that cannot be read."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", code="credentials") from error


def _server(settings: Settings) -> AbstractContextManager[smtplib.SMTP]:
    context = backend.certificates(settings.ca_bundle)
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SECONDS)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, secret(settings.smtp_password, settings.smtp_password_file))
    except BaseException:
        server.close()
        raise
    return server


def _client(settings: Settings, resolve: guard.Resolver) -> httpx.Client:
    network = backend.Backend(guard.rules(settings.private_hosts), resolve)
    return httpx.Client(transport=backend.Transport(network, (settings.ca_bundle,)), timeout=SECONDS, trust_env=False)


def _host(url: str) -> str:
    # The rest of a webhook's address is often its secret.
    return httpx.URL(url).host

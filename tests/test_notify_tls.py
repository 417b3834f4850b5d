"""E-mail over TLS from the first byte (port 465): handed over to who is trusted, and to nobody else."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from harvester.notices import channels
from harvester.notices.channels import Undelivered
from harvester.settings import Settings
from tests.catalogues import NOW
from tests.misbehaving import CERTIFICATE
from tests.test_notify import Sink


class Secured(Sink):
    """Speaks TLS before anything else."""

    context: ssl.SSLContext

    def get_request(self) -> Any:
        connection, address = super().get_request()
        try:
            return self.context.wrap_socket(connection, server_side=True), address
        except OSError:
            connection.close()
            raise


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of this machine and its key, in one file."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate of this test and is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = f"{program} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    more = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    made = subprocess.run([*command.split(), *more], cwd=folder, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder


@pytest.fixture
def secured(certificate: Path) -> Iterator[Secured]:
    server = Secured()
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(certificate / "both.pem")
    # Then it takes logins.
    server.tls = server.context
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def mailing(server: Sink, **changed: Any) -> Settings:
    known = {"smtp_host": "127.0.0.1", "smtp_port": server.server_address[1], "smtp_security": "tls"}
    return Settings(**{**known, "smtp_sender": "harvester@data.example.org", **changed})


def test_a_letter_goes_over_tls_with_a_login(secured: Secured, certificate: Path) -> None:
    settings = mailing(secured, ca_bundle=certificate / "cert.pem", smtp_user="ana", smtp_password=SecretStr("s3cret"))
    channels.mail(settings, "ops@example.org", "Hello", "A run failed.\n", "id-1", NOW)
    assert secured.logins == ["\0ana\0s3cret"]
    [(to, body)] = secured.received
    assert (to, b"A run failed." in body) == ("ops@example.org", True)


def test_a_server_that_is_not_trusted_is_told_nothing(secured: Secured) -> None:
    settings = mailing(secured, smtp_user="ana", smtp_password=SecretStr("s3cret"))
    with pytest.raises(Undelivered, match="certificate"):
        channels.mail(settings, "ops@example.org", "Hello", "A run failed.\n", "id-1", NOW)
    assert (secured.logins, secured.received) == ([], [])


def test_a_certificate_for_another_name_is_none(secured: Secured, certificate: Path) -> None:
    secured.context.load_cert_chain(_other(certificate))
    settings = mailing(secured, ca_bundle=certificate / "other.pem")
    with pytest.raises(Undelivered, match=r"(?i)certificate"):
        channels.mail(settings, "ops@example.org", "Hello", "A run failed.\n", "id-1", NOW)
    assert secured.received == []


def test_a_server_without_tls_is_no_such_server() -> None:
    server = Sink()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with pytest.raises(Undelivered):
        channels.mail(mailing(server), "ops@example.org", "Hello", "A run failed.\n", "id-1", NOW)
    server.shutdown()
    server.server_close()
    assert server.received == []


def _other(folder: Path) -> Path:
    """The certificate of another name (`tests.misbehaving`)."""
    (folder / "other.pem").write_text(CERTIFICATE)
    return folder / "other.pem"

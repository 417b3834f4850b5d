"""The container files fit the service: commands and settings exist, nothing runs as root, secrets stay in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from harvester.cli import app
from harvester.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
OURS = ("api", "scheduler", "worker", "migrate")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[list[str]]:
    """The instructions of the Dockerfile, each as its words."""
    told = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [line.split() for line in told.splitlines() if line and not line.startswith("#")]


def test_the_services_are_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", *OURS}
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_exist(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert service["command"] == [name]
    assert name in commands
    test = service["healthcheck"].get("test", ["CMD", "harvester", "ready"])
    assert test[1] == "python" or test[2] in commands
    settings = {key for key in service["environment"] if key.startswith("HARVESTER_")}
    assert {key.removeprefix("HARVESTER_").lower() for key in settings} <= set(Settings.model_fields)


def test_nothing_has_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] in ("unless-stopped", "on-failure")
        assert "healthcheck" in service
        assert "/tmp" in service["tmpfs"]


def test_what_is_mounted_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert {mount.split(":")[0] for mount in service["volumes"]} <= set(compose["volumes"])
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert set(service.get("depends_on", ())) <= set(compose["services"])


def test_no_password_is_written_down(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for key, value in service["environment"].items():
            assert "PASSWORD" not in key or value.startswith("/run/secrets/")
        assert ":" not in service["environment"].get("HARVESTER_DATABASE_URL", "").partition("://")[2]
    assert "secrets" in (ROOT / ".dockerignore").read_text().split()
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()


def test_tables_are_made_once_and_before_anything_else(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("api", "scheduler", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_image_is_lean_and_runs_as_nobody_in_particular(dockerfile: list[list[str]]) -> None:
    words = [line[0] for line in dockerfile]
    last = len(words) - 1 - words[::-1].index("FROM")
    final = {line[0]: line[1:] for line in dockerfile[last:]}
    assert words.count("FROM") == 2
    assert final["USER"][0].isdigit()
    assert int(final["USER"][0]) > 0
    assert final["COPY"][0] == "--from=build"
    assert "HEALTHCHECK" in final
    assert "PYTHONDONTWRITEBYTECODE=1" in final["ENV"]
    assert not any(line[0] in ("ARG", "ADD") for line in dockerfile)

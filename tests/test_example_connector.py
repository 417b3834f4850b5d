"""The worked example of a third-party connector: packaged, installed beside the harvester, found and harvested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harvester.samples.serving import Reply, Request, serve
from tests.databases import database_url

pytestmark = pytest.mark.usefixtures("database")

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "example-connector"
LIST = """id,title,description,url,format,licence,updated
1,Comptages vélo,Des vélos.,https://e.example/velo.csv,csv,Licence Ouverte 2.0,2026-01-02
,Sans identifiant,,,,,
3,Arbres,Des arbres.,https://e.example/arbres.csv,csv,ODbL,02/01/2026
"""


def listing(request: Request) -> Reply:
    return Reply(200, LIST.encode(), "text/csv") if request.path == "/list.csv" else Reply(404)


def test_an_installed_distribution_adds_a_connector(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(EXAMPLE)], check=True, cwd=tmp_path, capture_output=True)
    server = serve(listing)
    environment = os.environ | {
        "PYTHONPATH": str(site),
        "HARVESTER_DATA": str(tmp_path / "data"),
        "HARVESTER_DATABASE_URL": database_url(tmp_path / "data"),
        "HARVESTER_PRIVATE_HOSTS": '["127.0.0.1"]',
        "COLUMNS": "200",
    }

    def harvester(*words: str) -> str:
        command = [sys.executable, "-m", "harvester", *words]
        return subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout

    try:
        add = ("source", "add", f"{server.url}/list.csv", "--name", "list", "--connector", "csv-list")
        harvester(*add, "--option", "delimiter=,")
        assert "partial" in harvester("run")
        found = harvester("search", "velo")
    finally:
        server.close()
    assert "Comptages vélo" in found
    assert "no-id" in harvester("problems", "1")

"""Imports point inwards; code stays small; nothing names what is not part of the project."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ("harvester", "connectors", "api", "migrations", "bench")

# What a module may import of the project: the first row whose prefix fits decides.
ALLOWED: dict[str, tuple[str, ...]] = {
    "harvester.storable": (),
    "harvester.errors": ("harvester.storable",),
    "harvester.jsonio": (),
    "harvester.settings": (),
    "harvester.vocabularies": ("harvester.vocabularies",),
    "harvester.fields": ("harvester.fields", "harvester.vocabularies"),
    "harvester.model": ("harvester.errors", "harvester.fields", "harvester.model"),
    "harvester.net": (
        "harvester.access",
        "harvester.errors",
        "harvester.jsonio",
        "harvester.net",
        "harvester.settings",
    ),
    "harvester.access": ("harvester.errors", "harvester.net"),
    "harvester.http": (
        "harvester.access",
        "harvester.errors",
        "harvester.jsonio",
        "harvester.net",
        "harvester.settings",
    ),
    "harvester.connector": (
        "harvester.errors",
        "harvester.http",
        "harvester.jsonio",
        "harvester.net.urls",
        "harvester.model",
        "harvester.storable",
        "harvester.vocabularies",
    ),
    "harvester.walks": ("harvester.connector", "harvester.errors", "harvester.jsonio", "harvester.walks"),
    "harvester.decide": (),
    "harvester.identity": (
        "harvester.fields",
        "harvester.identity",
        "harvester.model",
        "harvester.storable",
        "harvester.vocabularies",
    ),
    "harvester.agents": ("harvester.agents", "harvester.identity.hosts", "harvester.model", "harvester.vocabularies"),
    "harvester.history.difference": ("harvester.fields", "harvester.jsonio"),
    "harvester.history.telling": ("harvester.history.difference", "harvester.model", "harvester.vocabularies"),
    "harvester.history.diffs": ("harvester.jsonio", "harvester.history.telling"),
    "harvester.rdf": (
        "harvester.connector",
        "harvester.errors",
        "harvester.fields",
        "harvester.jsonio",
        "harvester.model",
        "harvester.rdf",
        "harvester.vocabularies",
    ),
    "harvester.validate.exported": ("harvester",),
    "harvester.validate": (
        "harvester.errors",
        "harvester.jsonio",
        "harvester.rdf",
        "harvester.validate",
        "harvester.vocabularies",
    ),
    "harvester.quality.indicators": (),
    "harvester.quality.formats": ("harvester.vocabularies",),
    "harvester.quality.compliance": ("harvester.model", "harvester.rdf", "harvester.validate.rules"),
    "harvester.quality.mqa": ("harvester.model", "harvester.quality", "harvester.rdf", "harvester.vocabularies"),
    "harvester.quality.aggregating": ("harvester.quality.indicators", "harvester.quality.mqa"),
    "harvester.links.addresses": ("harvester.errors", "harvester.links.formats", "harvester.net"),
    "harvester.links.formats": (),
    "harvester.links.faults": (),
    "harvester.links.sniffing": ("harvester.jsonio",),
    "harvester.links.verdicts": ("harvester.links", "harvester.net"),
    "harvester.links.ageing": ("harvester.links",),
    "harvester.catalogue.types": ("harvester.storable",),
    "harvester.catalogue.tables": ("harvester.catalogue.tables", "harvester.catalogue.types"),
    "harvester": ("harvester",),
    "connectors": (
        "connectors",
        "harvester.connector",
        "harvester.errors",
        "harvester.fields",
        "harvester.http",
        "harvester.jsonio",
        "harvester.model",
        "harvester.rdf",
        "harvester.vocabularies",
        "harvester.walks",
    ),
    "api": ("api", "harvester"),
    "migrations": ("harvester",),
    "bench": ("bench", "connectors", "harvester"),
}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path, ast.parse(path.read_text("utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def allowed_for(name: str) -> tuple[str, ...]:
    return next(allowed for prefix, allowed in ALLOWED.items() if within(name, prefix))


def test_imports_point_inwards() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, _, tree in modules()
        for other in imported(tree)
        if other.split(".")[0] in CODE and not any(within(other, prefix) for prefix in allowed_for(name))
    ]
    assert not wrong


def test_nothing_relative_is_imported() -> None:
    wrong = [
        name
        for name, _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong


def lengths() -> list[tuple[int, str]]:
    found = []
    for name, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                doc = (first.end_lineno or 0) - first.lineno + 1 if docstring else 0
                found.append(((node.end_lineno or 0) - node.lineno + 1 - doc, f"{name}.{node.name}"))
    return found


def test_functions_stay_small() -> None:
    sizes = sorted(lengths())
    assert [entry for entry in sizes if entry[0] > 50] == []
    assert median(size for size, _ in sizes) <= 8
    assert sizes[int(len(sizes) * 0.95)][0] <= 35


def test_modules_stay_small() -> None:
    assert [(path.name, n) for _, path, _ in modules() if (n := path.read_text("utf-8").count("\n")) > 400] == []


@pytest.mark.parametrize("folder", CODE)
def test_public_names_have_docstrings(folder: str) -> None:
    missing = [
        f"{name}.{node.name}"
        for name, _, tree in modules()
        if name.split(".")[0] == folder and not within(name, "harvester.samples")
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not (folder == "migrations" and node.name in ("upgrade", "downgrade"))
    ]
    assert not missing

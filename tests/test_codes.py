"""Every code that is emitted is explained, and nothing is explained that nobody emits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harvester import codes

ROOT = Path(__file__).resolve().parents[1]
# Where a code stands among the arguments, by the name of what is called.
PLACES = {
    "Problem": 2, "ProblemError": 1, "problem": 2, "report": 0, "Trouble": 0, "_held": 0, "_kept": 0, "Result": 3,
    "_error": 1,
}  # fmt: skip


def texts(node: ast.AST, names: Mapping[str, str]) -> Iterator[str]:
    """The texts that an expression may be; what is put in while it runs is a star."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (text for part in (node.body, node.orelse) for text in texts(part, names))
    elif isinstance(node, ast.BoolOp):
        yield from (text for part in node.values for text in texts(part, names))
    elif isinstance(node, ast.Name) and node.id in names:
        yield names[node.id]


def constants(tree: ast.Module) -> dict[str, str]:
    """The texts that have a name in a module."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Whatever stands where a code belongs."""
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
        name = str(getattr(node.func, "id", None) or getattr(node.func, "attr", ""))
        place = PLACES.get(name)
        if place is not None and len(node.args) > place:
            yield node.args[place]
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from assigned(target, node.value)
    elif isinstance(node, ast.FunctionDef) and node.name.endswith("_code"):
        yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Constant | ast.JoinedStr))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from (first for first in node.value.elts[:1] if "-" in "".join(texts(first, {})))
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield value


def assigned(target: ast.AST, value: ast.AST) -> Iterator[ast.AST]:
    """`code = ...`, `code, text = ..., ...`, and tables of codes."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from assigned(one, other)
    elif isinstance(target, ast.Name) and target.id == "code":
        yield value
    elif isinstance(target, ast.Name) and target.id.endswith("_CODES") and isinstance(value, ast.Dict):
        yield from value.values


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module that may emit a code."""
    for path in (path for folder in ("harvester", "connectors", "api") for path in (ROOT / folder).rglob("*.py")):
        if not {"vocabularies", "samples"} & set(path.parts):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def emitted() -> dict[str, str]:
    """code -> a place that emits it."""
    found: dict[str, str] = {}
    for path, tree in modules():
        names = constants(tree)
        for node in ast.walk(tree):
            for text in (text for expression in expressions(node) for text in texts(expression, names)):
                found.setdefault(text, f"{path}:{getattr(node, 'lineno', 0)}")
    return {code: place for code, place in found.items() if re.fullmatch(r"[a-z]+(-([a-z0-9]+|\*))*", code)}


def written() -> set[str]:
    """Every text of the code: some codes stand in tables."""
    nodes = (node for _, tree in modules() for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def matching(code: str) -> re.Pattern[str]:
    """What a code with a star may be."""
    return re.compile(re.escape(code).replace(r"\*", r"(\*|[a-z0-9-]+)"))


EMITTED = emitted()


def test_the_sources_are_read_rightly() -> None:
    known = {"bad-date", "http-*", "closed", "unexpected", "throttled", "timeout", "not-found", "scope", "empty-answer"}
    assert known <= EMITTED.keys()


def test_every_code_that_is_emitted_is_explained() -> None:
    unknown = {
        code: place
        for code, place in EMITTED.items()
        if codes.explained(code) is None and not any(map(matching(code).fullmatch, codes.table()))
    }
    assert unknown == {}, "explain them in harvester/codes.csv"


def test_nothing_is_explained_that_nobody_emits() -> None:
    patterns, texts_written = [matching(code) for code in EMITTED], written()
    unused = [
        code
        for code in codes.table()
        if code not in texts_written and not any(pattern.fullmatch(code) for pattern in patterns)
    ]
    assert unused == []


def test_every_explanation_is_whole() -> None:
    for code in codes.table().values():
        assert code.severity in ("error", "warning"), code
        assert code.stage in ("fetch", "walk", "normalise", "retire", "run", "command", "api"), code
        assert code.meaning.endswith("."), code
        assert code.remedy.endswith("."), code


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("http-418", "http-*"),
        ("http-404", "http-404"),
        ("no-such-run", "no-such-*"),
        ("ckan-validation-error", "ckan-*"),
        ("ckan", None),
        ("zzz-404", None),
        ("", None),
        (None, None),
    ],
)
def test_a_code_is_found_by_itself_or_by_its_family(code: str | None, known: str | None) -> None:
    found = codes.explained(code)
    assert (found.code if found else None) == known
    assert (codes.remedy(code) is None) == (known is None)

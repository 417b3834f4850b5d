"""The documentation cannot lag behind: what exists is documented, and the reference is made from the code."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from harvester import registry
from harvester.codes import table
from harvester.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def generated() -> str:
    spec = spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.reference())


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "docs" / "reference.md").read_text("utf-8") == generated(), "run: python docs/generate.py"


def test_the_reference_explains_every_code() -> None:
    text = generated()
    assert [code for code, told in table().items() if f"| `{code}` | {told.stage} |" not in text] == []


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_option_says_what_it_means() -> None:
    missing = [
        f"{name}.{option}"
        for name in registry.names()
        for option, field in registry.connector(name).Options.model_fields.items()
        if not field.description
    ]
    assert missing == []


def test_the_readme_names_every_connector_and_only_real_files() -> None:
    assert [name for name in registry.names() if f"`{name}`" not in README] == []
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_names_only_real_make_targets() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= targets

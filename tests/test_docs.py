"""The documentation says what is so: its tables follow the code, its links lead somewhere, its code is Python."""

from __future__ import annotations

import dataclasses
import re
import runpy
import tomllib
from pathlib import Path

import pytest

from pygent import __version__, events

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("benchmarks/*.md")]
)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@each_page
def test_code_is_python(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        compile(block, str(page), "exec")


def test_every_event_and_field_is_documented() -> None:
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    rows = {
        name: set(re.findall(r"`(\w+)`", cells))
        for name, cells in re.findall(r"^\| `([a-z]+(?:\.[a-z]+)?)` \| (.*) \|$", page, re.MULTILINE)
    }
    common = {field.name for field in dataclasses.fields(events.Event)}
    for name, event in events.EVENT_TYPES.items():
        assert {field.name for field in dataclasses.fields(event)} - common <= rows[name], name
    assert set(rows) == set(events.EVENT_TYPES)


def test_the_numbers_that_tests_refer_to_are_there() -> None:
    for page, last in (("providers.md", 17), ("hostile.md", 79)):
        text = (ROOT / "docs" / page).read_text("utf-8")
        assert [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)] == list(range(1, last + 1))


def test_every_case_of_what_can_go_wrong_has_tests() -> None:
    named: set[int] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for numbers in re.findall(r"mark\.hostile\(([\d, ]*)\)", path.read_text("utf-8")):
            named |= {int(number) for number in numbers.split(",") if number.strip()}
    assert named == set(range(1, 80))


def test_what_is_out_of_scope_is_a_case_with_a_reason() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", text[text.index("## Out of scope") :], re.MULTILINE)
    assert rows
    assert all(0 < int(number) < 80 and len(why) > 20 for number, why in rows)


def test_every_number_of_the_servers_has_tests() -> None:
    text = (ROOT / "tests" / "core" / "test_providers.py").read_text("utf-8")
    assert {int(number) for number in re.findall(r"^def test_(\d\d)_", text, re.MULTILINE)} == set(range(1, 18))


def test_every_key_is_documented() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make_keys.py"))
    text = (ROOT / "docs" / "keys.md").read_text("utf-8")
    assert text == make["page"](text), "python docs/make_keys.py"


def test_the_changelog_knows_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_ignored_lint_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    block = text[text.index("\nignore = [") : text.index("]\n", text.index("\nignore = ["))]
    lines = [line for line in block.splitlines()[2:] if line.strip()]
    assert [line for line in lines if "#" not in line] == []
    assert tomllib.loads(text)["tool"]["mypy"]["strict"] is True

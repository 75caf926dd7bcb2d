"""The rules of ARCHITECTURE.md that can be read off the source; the import contracts stand in pyproject.toml."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pygent

PACKAGE = Path(pygent.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MODULE_LINES = 400
CLASS_LINES = 250
FRONT_ENDS = ("__main__.py", "cli.py", "cli/", "headless.py", "headless/", "web.py", "web/", "tui/")
"""Layer 6: what may print and know a screen."""

HOMES = {
    "openai": ("models/",),
    "docker": ("sandbox/",),
    "yaml": ("settings/", "tui/themes.py"),
    "textual": ("tui/", "web.py", "web/"),
    "rich": ("tui/",),
    "textual_serve": ("web.py", "web/"),
    "sqlite3": ("store.py", "store/"),
}
"""The only places that know a package."""

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"), filename=str(module))


def imported(module: Path) -> Iterator[tuple[str, int]]:
    """The absolute names that a module imports anywhere, with their lines."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module, node.lineno


def imported_at_start(module: Path) -> Iterator[tuple[str, int]]:
    """Like `imported`, but only what importing the module itself runs."""
    pending: list[ast.AST] = [tree(module)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module, node.lineno
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def calls(module: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))


@each_module
def test_a_module_is_one_idea(module: Path) -> None:
    assert len(module.read_text("utf-8").splitlines()) <= MODULE_LINES


@each_module
def test_a_class_knows_not_everything(module: Path) -> None:
    sizes = {
        node.name: (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > CLASS_LINES} == {}


@each_module
def test_a_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(tree(module)) or len(tree(module).body) <= 1


@each_module
def test_the_environment_is_read_only_by_settings(module: Path) -> None:
    if name_of(module).startswith("settings/"):
        return
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    reads = [
        node.lineno
        for node in ast.walk(tree(module))
        if (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os" and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {alias.name for alias in node.names})
    ]
    assert reads == []


@each_module
def test_the_core_prints_nothing(module: Path) -> None:
    if name_of(module).startswith(FRONT_ENDS):
        return
    prints = [call.lineno for call in calls(module) if isinstance(call.func, ast.Name) and call.func.id == "print"]
    streams = [
        node.lineno
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}
    ]
    assert (prints, streams) == ([], [])


@each_module
def test_text_from_outside_is_never_markup(module: Path) -> None:
    marked = [
        call.lineno
        for call in calls(module)
        for keyword in call.keywords
        if keyword.arg == "markup" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]
    made = [
        call.lineno for call in calls(module) if ast.unparse(call.func).endswith(("from_markup", "markup.render"))
    ]
    assert (marked, made) == ([], [])


@each_module
def test_a_package_is_known_in_its_own_place_only(module: Path) -> None:
    strays = [
        (package, line)
        for package, line in imported(module)
        for home in [HOMES.get(package.partition(".")[0])]
        if home is not None and not name_of(module).startswith(home)
    ]
    assert strays == []


@each_module
def test_the_core_imports_slow_packages_when_they_are_needed(module: Path) -> None:
    slow = {"openai", "httpx", "docker", "requests", "yaml", "pathspec", "pydantic"}
    if not name_of(module).startswith(FRONT_ENDS):
        slow |= {"textual", "rich"}
    assert [(name, line) for name, line in imported_at_start(module) if name.partition(".")[0] in slow] == []


@each_module
def test_everything_is_caught_only_with_a_reason(module: Path) -> None:
    """A handler for all exceptions passes them on, or says beside it what it does with them."""
    lines = module.read_text("utf-8").splitlines()
    bare = [
        handler.lineno
        for handler in ast.walk(tree(module))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"})
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
        and not any("#" in line or "log." in line for line in lines[handler.lineno - 2 : handler.lineno + 2])
    ]
    assert bare == []


def test_no_mock_stands_for_our_own_code() -> None:
    tests = Path(__file__).parent
    uses = [
        f"{path.relative_to(tests)}: {name}"
        for path in sorted(tests.rglob("*.py"))
        for name, _ in imported(path)
        if name.partition(".")[0] == "mock" or name.startswith("unittest.mock")
    ]
    assert uses == []

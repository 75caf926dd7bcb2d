"""The rules of ARCHITECTURE.md that can be read off the source; the import contracts stand in pyproject.toml."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pygent

PACKAGE = Path(pygent.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MODULE_LINES = 400
CLASS_LINES = 250
FRONT_ENDS = (
    "__main__.py",
    "cli.py",
    "commands/",
    "headless.py",
    "tui/",
    "web",
)
"""Layer 6: what may print and know a screen."""

HOMES = {
    "openai": ("models/",),
    "docker": ("sandbox/",),
    "yaml": ("settings/", "tui/themes.py"),
    "textual": ("tui/", "web"),
    "rich": ("tui/",),
    "textual_serve": ("web",),
    "sqlite3": ("store.py", "store/"),
}
"""The only places that know a package."""


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def offenders(rule: Callable[[Path], object]) -> dict[str, object]:
    """What each module breaks of a rule, by its name; modules that keep it are left out."""
    return {name_of(module): broken for module in MODULES if (broken := rule(module))}


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"), filename=str(module))


@cache
def nodes(module: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(module)))


def imported(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The absolute names that an import statement imports, with its line."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, node.lineno
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module, node.lineno


def imported_at_start(module: Path) -> Iterator[tuple[str, int]]:
    """What importing the module itself runs."""
    pending: list[ast.AST] = [tree(module)]
    while pending:
        node = pending.pop()
        yield from imported(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def test_a_module_is_one_idea() -> None:
    def lines(module: Path) -> int:
        return len(module.read_text("utf-8").splitlines())

    assert offenders(lambda module: lines(module) if lines(module) > MODULE_LINES else 0) == {}


def test_a_class_does_not_know_everything() -> None:
    def large(module: Path) -> dict[str, int]:
        classes = [node for node in nodes(module) if isinstance(node, ast.ClassDef)]
        sizes = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in classes}
        return {name: size for name, size in sizes.items() if size > CLASS_LINES}

    assert offenders(large) == {}


def test_a_module_says_what_it_is() -> None:
    assert offenders(lambda module: not ast.get_docstring(tree(module)) and len(tree(module).body) > 1) == {}


def test_the_environment_is_read_only_by_settings() -> None:
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}

    def reads(module: Path) -> list[int]:
        if name_of(module).startswith("settings/"):
            return []
        return [
            node.lineno
            for node in nodes(module)
            if (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os" and node.attr in names)
            or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {one.name for one in node.names})
        ]

    assert offenders(reads) == {}


def test_the_core_prints_nothing() -> None:
    def prints(module: Path) -> list[int]:
        if name_of(module).startswith(FRONT_ENDS):
            return []
        return [
            node.lineno
            for node in nodes(module)
            if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
            or (isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"})
        ]

    assert offenders(prints) == {}


def test_text_from_outside_is_never_markup() -> None:
    def marked(module: Path) -> list[int]:
        calls = [node for node in nodes(module) if isinstance(node, ast.Call)]
        return [
            call.lineno
            for call in calls
            if any(
                word.arg == "markup" and ast.unparse(word.value) not in ("False", "markup") for word in call.keywords
            )
            or ast.unparse(call.func).endswith("from_markup")
        ]

    assert offenders(marked) == {}


def test_a_package_is_known_in_its_own_place_only() -> None:
    def strays(module: Path) -> list[tuple[str, int]]:
        found = [pair for node in nodes(module) for pair in imported(node)]
        return [
            (package, line)
            for package, line in found
            if (home := HOMES.get(package.partition(".")[0])) and not name_of(module).startswith(home)
        ]

    assert offenders(strays) == {}


def test_slow_packages_are_imported_when_they_are_needed() -> None:
    always = {"openai", "httpx", "docker", "requests", "yaml", "pathspec", "pydantic"}

    def early(module: Path) -> list[tuple[str, int]]:
        slow = always if name_of(module).startswith(FRONT_ENDS) else always | {"textual", "rich"}
        return [(name, line) for name, line in imported_at_start(module) if name.partition(".")[0] in slow]

    assert offenders(early) == {}


def test_everything_is_caught_only_with_a_reason() -> None:
    """A handler for all exceptions uses what it caught, passes it on, or says beside it why it does not."""

    def silent(module: Path) -> list[int]:
        lines = module.read_text("utf-8").splitlines()
        handlers = [node for node in nodes(module) if isinstance(node, ast.ExceptHandler)]
        return [
            handler.lineno
            for handler in handlers
            if (handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"})
            and not any(
                isinstance(node, ast.Raise) or (isinstance(node, ast.Name) and node.id == handler.name)
                for node in ast.walk(handler)
            )
            and not any("#" in line or "log." in line for line in lines[handler.lineno - 2 : handler.lineno + 2])
        ]

    assert offenders(silent) == {}


def test_no_mock_stands_for_our_own_code() -> None:
    tests = Path(__file__).parent
    uses = [
        f"{path.relative_to(tests)}: {name}"
        for path in sorted(tests.rglob("*.py"))
        for node in nodes(path)
        for name, _ in imported(node)
        if name.partition(".")[0] == "mock" or name.startswith("unittest.mock")
    ]
    assert uses == []

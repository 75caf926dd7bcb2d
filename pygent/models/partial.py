"""A reply that gives only the changed functions of a Python file, put back into the file that they are from.

Small models are asked for whole files and answer, as people do, with the part that matters.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass

_LEFT_OUT = re.compile(
    r"^\s*#\s*(?:\.{3}|…|.*\b(?:rest of|remaining|unchanged|existing code|other (?:functions|methods)|as before)\b)",
    re.IGNORECASE,
)

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class _Parsed:
    tree: ast.Module
    lines: list[str]

    @classmethod
    def of(cls, text: str) -> _Parsed | None:
        try:
            return cls(ast.parse(text), text.splitlines())
        except (SyntaxError, ValueError, RecursionError):
            return None

    def definitions(self) -> dict[str, _Definition]:
        return {node.name: node for node in self.tree.body if isinstance(node, _Definition)}

    def source(self, node: ast.stmt) -> list[str]:
        return self.lines[_first(node) - 1 : node.end_lineno]


def completed(part: str, whole: str) -> str | None:
    """``whole`` with the definitions and imports of ``part`` in it; None where ``part`` is a whole file itself.

    Both are Python. A part has some of the file's functions and classes, or methods of one, and lacks at least half
    of what the file defines, or says in a comment that it leaves something out.
    """
    new, old = _Parsed.of(textwrap.dedent(part)), _Parsed.of(whole)
    if new is None or old is None:
        return None
    given, known = new.definitions(), old.definitions()
    imports = [node for node in new.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    docstring = [node for node in new.tree.body[:1] if isinstance(node, ast.Expr)]
    if not given or len(given) + len(imports) + len(docstring) < len(new.tree.body):
        return None  # it does something besides defining: a program of its own
    given = _methods_of_a_part(given, known) or given
    methods = _inner(given, old.tree) if not given.keys() & known.keys() else {}
    common = given.keys() & known.keys()
    if not common and not methods:
        return None
    admitted = any(_LEFT_OUT.match(line) for line in new.lines)
    missing = len(known) - len(common)
    others = any(not isinstance(node, _Definition | ast.Import | ast.ImportFrom | ast.Expr) for node in old.tree.body)
    if not methods and not admitted and not (missing and 2 * missing >= len(known)) and not (others and missing):
        return None
    if not methods and any(_has_left_out(new.source(node)) for node in given.values()):
        return None  # the part has holes itself
    return _merged(new, old, given, methods or {name: known[name] for name in common}, imports)


def _merged(
    new: _Parsed,
    old: _Parsed,
    given: dict[str, _Definition],
    targets: dict[str, _Definition],
    imports: list[ast.Import | ast.ImportFrom],
) -> str:
    lines = list(old.lines)
    for name, target in sorted(targets.items(), key=lambda item: -item[1].lineno):
        indent = " " * target.col_offset
        plain = textwrap.dedent("\n".join(new.source(given[name]))).split("\n")
        source = [indent + line if line.strip() else line for line in plain]
        lines[_first(target) - 1 : target.end_lineno] = source
    extra = [name for name in given if name not in targets]
    if extra:  # before the first that uses them, so that they are defined where they are needed
        at = (
            min(_first(node) for node in targets.values() if node.col_offset == 0) - 1
            if any(node.col_offset == 0 for node in targets.values())
            else len(lines)
        )
        block: list[str] = []
        for name in extra:
            block += [*new.source(given[name]), "", ""]
        lines[at:at] = block
    known = {ast.unparse(node) for node in old.tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    added = [text for node in imports if (text := ast.unparse(node)) not in known]
    if added:
        at = _after_docstring(old.tree)
        lines[at:at] = added
    return "\n".join(lines) + "\n"


def _methods_of_a_part(given: dict[str, _Definition], known: dict[str, _Definition]) -> dict[str, _Definition]:
    """The methods that a class brings that lacks at least half of those it had; empty where there is more."""
    if len(given) != 1:
        return {}
    ((name, new),) = given.items()
    old = known.get(name)
    if not isinstance(new, ast.ClassDef) or not isinstance(old, ast.ClassDef):
        return {}
    methods, had = _methods(new), _methods(old)
    missing = had.keys() - methods.keys()
    return methods if methods and methods.keys() <= had.keys() and 2 * len(missing) >= len(had) else {}


def _methods(node: ast.ClassDef) -> dict[str, _Definition]:
    return {item.name: item for item in node.body if isinstance(item, _Definition)}


def functions(text: str) -> list[str]:
    """The names of the functions and methods of a Python file, in order; none where it cannot be read."""
    parsed = _Parsed.of(text)
    if parsed is None:
        return []
    names = []
    for node in parsed.definitions().values():
        inner = _methods(node).values() if isinstance(node, ast.ClassDef) else (node,)
        names += [item.name for item in inner if not isinstance(item, ast.ClassDef)]
    return names


def _inner(given: dict[str, _Definition], tree: ast.Module) -> dict[str, _Definition]:
    """The methods or inner functions that ``given`` are new versions of; empty unless each is there just once."""
    found: dict[str, list[_Definition]] = {}
    for node in ast.walk(tree):
        if isinstance(node, _Definition):
            found.setdefault(node.name, []).append(node)
    if any(len(found.get(name, ())) != 1 for name in given):
        return {}
    return {name: found[name][0] for name in given}


def _has_left_out(lines: list[str]) -> bool:
    return any(_LEFT_OUT.match(line) for line in lines)


def _after_docstring(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.end_lineno or 0
    return 0


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(int(one.lineno) for one in (node, *decorators))

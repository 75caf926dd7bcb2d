"""A part of a Python file put into it, as a person would who is told the new text of one function."""

from __future__ import annotations

import ast


def merged(before: str, part: str) -> str:
    """The text of a file with the definitions of ``part`` in place of its own ones of the same names.

    Whatever is a whole file is taken as it is: a text that is not Python, or that has all of the file's functions and
    classes, or none of them.
    """
    try:
        old, new = ast.parse(before), ast.parse(part)
    except (SyntaxError, ValueError):
        return part
    places, given = _definitions(old), _definitions(new)
    if not places.keys() - given.keys() or not places.keys() & given.keys():
        return part
    lines, part_lines = before.splitlines(), part.splitlines()
    for name, (start, end) in sorted(places.items(), key=lambda item: -item[1][0]):
        if name in given:
            first, last = given[name]
            lines[start:end] = part_lines[first:last]
    added = [part_lines[first:last] for name, (first, last) in given.items() if name not in places]
    imports = [
        line
        for node in new.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in part_lines[node.lineno - 1 : node.end_lineno]
        if line not in lines
    ]
    at = _after_docstring(old)
    lines[at:at] = imports
    for definition in added:
        lines += ["", "", *definition]
    return "\n".join(lines) + "\n"


def _definitions(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """The functions and classes of a module, with the lines they take, from 0, the end exclusive."""
    return {
        node.name: (
            min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1,
            node.end_lineno or node.lineno,
        )
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def _after_docstring(tree: ast.Module) -> int:
    """The line on which imports can stand."""
    first = tree.body[0] if tree.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.end_lineno or 0
    return 0

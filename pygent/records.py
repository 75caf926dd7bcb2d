"""Data classes that cost next to nothing until one is made.

``dataclass`` writes and compiles up to seven methods for each class, whether an object is ever made of it or not;
that of all records was a twentieth of a first paint. Here ``__init__`` is compiled for the first object, and the
others stand once, below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

C = TypeVar("C", bound=type)


@overload
def record(cls: C, /) -> C: ...
@overload
def record(*, frozen: bool = True, kw_only: bool = False, slots: bool = True) -> Callable[[C], C]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: C | None = None, /, *, frozen: bool = True, kw_only: bool = False, slots: bool = True
) -> C | Callable[[C], C]:
    """``dataclass(frozen=True, slots=True)``: fields, ``replace``, comparison, ``repr`` and copying are the same.

    One that is not ``frozen`` has no hash. There is no ``__post_init__``, no ``InitVar`` and no order.
    """

    def make(cls: C) -> C:
        made: Any = dataclass(init=False, repr=False, eq=False, kw_only=kw_only, slots=slots)(cls)
        methods = {"__eq__": _eq, "__repr__": _repr, "__getstate__": _state, "__setstate__": _restore}
        if frozen:
            methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
        for name, method in methods.items():
            if name not in vars(made):
                setattr(made, name, method)
        if "__hash__" not in vars(made) or vars(made)["__hash__"] is None:  # a class with `__eq__` gets a None
            made.__hash__ = _hash if frozen else None
        made.__init__ = _at_first(made, frozen=frozen)
        return made  # type: ignore[no-any-return]

    return make if cls is None else make(cls)


def _at_first(cls: Any, *, frozen: bool) -> Callable[..., None]:
    """What stands for ``__init__`` until it is called."""

    def __init__(self: object, *args: object, **values: object) -> None:  # noqa: N807 - it is one
        cls.__init__ = _compiled(cls, frozen=frozen)
        cls.__init__(self, *args, **values)

    return __init__


def _compiled(cls: Any, *, frozen: bool) -> Callable[..., None]:
    known: dict[str, Any] = {"_put": object.__setattr__, "_missing": MISSING}
    positional: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    for one in fields(cls):
        (named if one.kw_only else positional).append(one.name + _default(one, known))
        makes = one.default_factory is not MISSING
        value = f"_make_{one.name}() if {one.name} is _missing else {one.name}" if makes else one.name
        body.append(f"_put(self, {one.name!r}, {value})" if frozen else f"self.{one.name} = {value}")
    heading = ", ".join([*positional, *(["*", *named] if named else [])])
    source = f"def __init__({heading}):\n " + "\n ".join(body or ["pass"])
    exec(compile(source, f"<{cls.__qualname__}>", "exec"), known)  # noqa: S102 - only names of fields stand in it
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _default(one: Field[Any], known: dict[str, Any]) -> str:
    if one.default_factory is not MISSING:
        known[f"_make_{one.name}"] = one.default_factory
        return "=_missing"
    if one.default is not MISSING:
        known[f"_default_{one.name}"] = one.default
        return f"=_default_{one.name}"
    return ""


_COMPARED: dict[type, Callable[[Any], Any]] = {}


def _values(self: Any) -> Any:
    """What comparison looks at."""
    cls = type(self)
    values = _COMPARED.get(cls)
    if values is None:
        names = [one.name for one in fields(cls) if one.compare]
        values = _COMPARED[cls] = attrgetter(*names) if names else lambda _: ()
    return values(self)


def _eq(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


def _refuse_set(_self: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")

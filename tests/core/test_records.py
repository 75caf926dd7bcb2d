"""Records behave as data classes do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from pygent.records import record


@record
class Place:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Plain:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False, compare=False)


@record(kw_only=True, slots=False)
class Named(Place):
    z: int | None = None


@record(frozen=False)
class Open:
    x: int = 1


@record
class Nothing:
    pass


@pytest.mark.parametrize("make", [Place, Plain])
def test_it_is_made_as_a_data_class_is(make: type) -> None:
    assert (make(1).x, make(1).y, make(1).names) == (1, 0, [])
    assert make(1).names is not make(1).names
    assert make(1, y=2) == make(1, 2) != make(1, 3)
    assert make(1, secret="a") == make(1, secret="b")
    assert make(1) != (1, 0, [], "")
    assert repr(make(1, 2, secret="hidden")) == f"{make.__name__}(x=1, y=2, names=[])"
    assert replace(make(1, 2), y=5) == make(1, 5)
    assert make.__match_args__ == ("x", "y", "names", "secret")
    for wrong in ((), (1, 2, [], "", 5)):
        with pytest.raises(TypeError):
            make(*wrong)
    with pytest.raises(TypeError, match="other"):
        make(1, other=2)


def test_frozen_ones_stay_as_they_are() -> None:
    place = Place(1)
    with pytest.raises(FrozenInstanceError, match="x"):
        place.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="x"):
        del place.x  # type: ignore[misc]
    assert not hasattr(place, "__dict__")
    assert hash(Nothing()) == hash(Nothing())
    assert Nothing() == Nothing()
    with pytest.raises(TypeError, match="list"):
        hash(place)


def test_others_change_and_have_no_hash() -> None:
    value = Open()
    value.x = 3
    assert value == Open(3)
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


def test_fields_are_inherited_and_each_class_keeps_its_own_constructor() -> None:
    assert [one.name for one in fields(Named)] == ["x", "y", "names", "secret", "z"]
    assert Place(1) == Place(1)  # the base is made first
    assert (Named(1, z=3).z, Named(2).z) == (3, None)
    assert Named(1) != Place(1)
    with pytest.raises(TypeError):
        Named(1, 2, [], "", 3)  # type: ignore[misc]


def test_copies_and_pickles_are_equal() -> None:
    for value in (Place(1, 2, ["a"], "s"), Named(1, z=2), Open(4)):
        for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert twin == value
            assert type(twin) is type(value)
    assert copy.deepcopy(Place(1, secret="kept")).secret == "kept"

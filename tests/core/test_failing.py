"""What stays of a long output: beginning, end, and what tells of failures, by the stated rule."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent.tools.failing import failing_part

NOISE = [f"[{number:5}] compiling part {number} of the whole, all is well" for number in range(3000)]
LIMIT = 4000

PYTEST = """\
=================================== FAILURES ===================================
______________________________ test_total ______________________________

    def test_total():
        basket = Basket([3, 4])
>       assert basket.total() == 7
E       assert 12 == 7
E        +  where 12 = total()

tests/test_basket.py:6: AssertionError"""
UNITTEST = """\
======================================================================
FAIL: test_total (test_basket.BasketTest.test_total)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/workspace/test_basket.py", line 8, in test_total
    self.assertEqual(basket.total(), 7)
AssertionError: 12 != 7"""
TRACEBACK = """\
Traceback (most recent call last):
  File "/workspace/main.py", line 3, in <module>
    run()
  File "/workspace/shop.py", line 14, in run
    price = prices[name]
KeyError: 'apple'"""
GCC = """\
src/list.c:14:10: error: 'struct node' has no member named 'nxt'; did you mean 'next'?
   14 |   return n->nxt;
      |             ^~~
make: *** [Makefile:5: list.o] Error 1"""
RUST = """\
error[E0308]: mismatched types
 --> src/main.rs:4:18
  |
4 |     let x: i32 = "a";
  |            ---   ^^^ expected `i32`, found `&str`"""
RUST_TEST = """\
test basket::total ... FAILED
---- basket::total stdout ----
thread 'basket::total' panicked at src/lib.rs:20:9:
assertion `left == right` failed
  left: 12
 right: 7"""
GO = """\
--- FAIL: TestTotal (0.00s)
    basket_test.go:9: total() = 12, want 7
FAIL\texample.com/basket\t0.004s"""
JEST = """\
 FAIL  src/basket.test.js
  ● basket › total

    expect(received).toBe(expected) // Object.is equality

    Expected: 7
    Received: 12"""
NPM = """\
npm ERR! code ELIFECYCLE
npm ERR! basket@1.0.0 build: `webpack`"""
TSC = "src/basket.ts(14,5): error TS2322: Type 'string' is not assignable to type 'number'."
MYPY = 'pygent/basket.py:14: error: Incompatible return value type (got "str", expected "int")  [return-value]'
MAVEN = "[ERROR] BasketTest.total:14 expected: <7> but was: <12>"
TAP = """\
not ok 3 - total
  ---
  expected: 7
  actual: 12"""
MOCHA = """\
  1) basket total:
     AssertionError: expected 12 to equal 7"""
SUMMARY = "FAILED tests/test_basket.py::test_total - assert 12 == 7"


@pytest.mark.parametrize(
    "failure",
    [PYTEST, UNITTEST, TRACEBACK, GCC, RUST, RUST_TEST, GO, JEST, NPM, TSC, MYPY, MAVEN, TAP, MOCHA, SUMMARY],
)
@pytest.mark.parametrize("place", [900, 1500, 2100])
def test_a_failure_in_the_middle_of_a_long_output_stays(failure: str, place: int) -> None:
    lines = [*NOISE[:place], *failure.split("\n"), *NOISE[place:]]
    text = "\n".join(lines)
    part = failing_part(text, LIMIT)
    missing = [line for line in failure.split("\n") if line.strip(" =-|^~") and line not in part]
    assert missing == []
    assert len(part) <= LIMIT
    assert part.startswith(NOISE[0])
    assert part.endswith(NOISE[-1])
    assert " lines left out …]" in part


def test_a_short_text_stays_as_it_is() -> None:
    assert failing_part("a\nb", 3) == "a\nb"


def test_where_nothing_failed_beginning_and_end_have_all_the_room() -> None:
    part = failing_part("\n".join(NOISE), LIMIT)
    assert part.count("left out") == 1
    assert LIMIT * 0.9 < len(part) <= LIMIT
    assert part.index("left out") > LIMIT / 2


def test_good_news_is_no_failure() -> None:
    news = ["test_error_handling PASSED", "test x ... ok", "12 passed, 0 failed", "Found 0 errors", "no errors found"]
    part = failing_part("\n".join([*NOISE[:1500], *news, *NOISE[1500:]]), LIMIT)
    assert not any(line in part for line in news)


def test_many_failures_leave_room_for_the_first_ones_and_each_gap_is_told() -> None:
    failures = [
        f"FAILED tests/test_{chr(97 + n % 26)}{chr(97 + n // 26)}.py::test_it - assert 1 == 2" for n in range(600)
    ]
    part = failing_part("\n".join([*NOISE[:500], *failures, *NOISE[500:]]), LIMIT)
    assert failures[0] in part
    assert failures[10] in part
    assert len(part) <= LIMIT


def test_the_same_failure_over_and_over_does_not_hide_another() -> None:
    same = [f"warehouse.c:{n}:3: error: unknown type name 'crate'" for n in range(2000)]
    other = "basket.c:7:1: error: expected ';' before '}' token"
    part = failing_part("\n".join([*NOISE[:500], *same, *NOISE[:300], other, *NOISE[500:]]), LIMIT)
    assert part.count("unknown type name") == 3
    assert other in part


def test_the_difference_that_one_assertion_shows_does_not_hide_the_next_failure() -> None:
    long = [f"E         - line {'x' * (n % 40)}{n * 'y'}"[:300] for n in range(300)]
    part = failing_part("\n".join([*NOISE[:500], *long, *NOISE[:100], TRACEBACK, *NOISE[500:]]), LIMIT * 4)
    assert "KeyError: 'apple'" in part


def test_lines_that_only_have_a_word_come_last() -> None:
    words = [f"could be that something failed in stage {chr(97 + n % 26) * (n // 26 + 1)}" for n in range(900)]
    part = failing_part("\n".join([*NOISE[:500], *words, TRACEBACK, *NOISE[500:]]), LIMIT)
    assert "KeyError: 'apple'" in part
    assert words[0] in part


def test_the_note_stands_in_the_first_gap_only() -> None:
    part = failing_part("\n".join([*NOISE[:1500], TRACEBACK, *NOISE[1500:]]), LIMIT, "all of it is in out.txt")
    assert part.count("all of it is in out.txt") == 1
    assert part.index("all of it is in out.txt") < part.index("KeyError")


@given(
    st.lists(
        st.sampled_from(["", "ok", "E   assert 1", "x" * 700, "FAILED a.py::t - b", *GCC.split("\n"), "a failed b"])
    ),
    st.integers(0, 2000),
)
def test_whatever_comes_in_the_limit_holds_and_nothing_is_made_up(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    part = failing_part(text, limit)
    assert len(part) <= max(limit, 60)
    for line in part.split("\n"):
        assert line.startswith("[… ") or line.removesuffix("…") in text


def test_long_outputs_take_no_long_time() -> None:
    begun = time.process_time()
    for hostile in ("=" * 3_000_000, "= " * 1_000_000, "E   a\n" * 300_000, "a:1" * 500_000, "\n" * 1_000_000):
        failing_part(hostile, 32_000)
    assert time.process_time() - begun < 10

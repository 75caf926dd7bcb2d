"""A model that goes in circles is noticed, and one that makes its way is not."""

import pytest

from pygent.repeats import END, END_OF_ROUNDS, Repeats

LS = ("bash", '{"cmd": "ls"}')
TEST = ("bash", '{"cmd": "pytest -q"}')
WRITE = ("write_file", '{"path": "a.py", "content": "x = 1\\n"}')
READ = ("read_file", '{"path": "a.py"}')


def told(steps):
    """The numbers of the steps after which something is said, with its beginning; and whether it is stuck at last."""
    repeats = Repeats()
    said = [(number, repeats.add(*step)) for number, step in enumerate(steps, 1)]
    texts = [(number, repeat.text.split(" (")[0][:24]) for number, repeat in said if repeat and repeat.text]
    last = said[-1][1]
    return texts, bool(last and last.stuck)


@pytest.mark.hostile(71)
def test_the_same_call_with_the_same_result_is_told_each_third_time_and_ends():
    step = ([LS], ["a.py"])
    assert told([step] * 2) == ([], False)
    assert told([step] * 7) == ([(3, "You made this same call "), (6, "You made this same call ")], False)
    assert told([step] * END)[1]


def test_a_result_that_differs_in_its_time_only_is_the_same():
    steps = [([TEST], [f"FAILED a.py::t\n1 failed in 0.{n}3s at 0x7f{n}ab123"]) for n in range(3)]
    assert [number for number, _ in told(steps)[0]] == [3]


def test_results_that_change_are_progress():
    assert told([([TEST], [f"{n} failed"]) for n in range(12)]) == ([], False)


def test_two_calls_in_turn_are_told_after_three_rounds_and_end():
    steps = [([READ], ["x = 1"]), ([TEST], ["1 failed"])]
    assert told(steps * 2) == ([], False)
    texts, stuck = told(steps * 3)
    assert ([number for number, _ in texts], stuck) == ([6], False)
    repeats = Repeats()
    said = [repeats.add(*step) for step in steps * 3]
    assert "(read_file, then bash), and this was round 3" in next(one.text for one in said if one and one.text)
    assert told(steps * END_OF_ROUNDS)[1]


def test_three_calls_in_turn_are_noticed_too():
    steps = [([READ], ["x = 1"]), ([TEST], ["1 failed"]), ([LS], ["a.py"])]
    assert len(told(steps * 3)[0]) == 1


@pytest.mark.parametrize("between", [[TEST], [READ]])
def test_the_same_content_written_again_is_told_whatever_lies_between(between):
    steps = [([WRITE], ["Wrote a.py"]), (between, ["1"]), ([WRITE], ["Wrote a.py"]), (between, ["2"])]
    repeats = Repeats()
    said = [repeats.add(*step) for step in [*steps, *steps[:1]]]
    assert said[:4] == [None] * 4
    assert said[4] is not None
    assert said[4].text.startswith("You wrote the same content to a.py 3 times")


def test_different_content_is_no_repeat():
    steps = [([("write_file", f'{{"path": "a.py", "content": "{n}"}}')], ["Wrote a.py"]) for n in range(9)]
    assert told(steps) == ([], False)


def test_steps_without_calls_are_nothing():
    assert told([([], [])] * 20) == ([], False)

"""A conversation stays within what the model sees, keeps its thread, and is valid for any server all the while."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pygent.compaction import LATER, NO_SUMMARY, SUMMARY
from pygent.events import ContextCompacted, ContextRestored, from_dict, to_dict
from pygent.history import History
from pygent.openai_compat import Usage
from pygent.tokens import IMAGE, Meter, of_message
from tests.core.windowed import SUMMARY as SAID
from tests.core.windowed import Windowed, is_question, looks, same, size
from tests.fakes.openai_server import Step, broken, reply, silent, status


@pytest.fixture
def windowed() -> Iterator[Callable[..., Windowed]]:
    made: list[Windowed] = []

    def make(*args: Any, **options: Any) -> Windowed:
        made.append(Windowed(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def replayed(one: Windowed) -> History:
    """The history that the stored events tell of."""
    history = History()
    history.replay([from_dict(json.loads(json.dumps(to_dict(event)))) for event in one.events if event.durable])
    return history


@pytest.mark.hostile(72)
def test_a_long_run_is_compacted_near_the_limit_and_never_refused(windowed) -> None:
    one = windowed([*looks(10), reply("All done.")], size=5_000, known=8_192)
    one.agent.todos.items = [{"text": "mend it", "state": "active"}, {"text": "look", "state": "done"}]
    assert one.say("Find the parser; never touch setup.py.") == "completed"
    assert one.refused == 0
    assert one.compactions
    for event in one.compactions:
        assert event.by == "limit"
        assert 0.75 * 8_192 <= event.before_tokens <= 8_192
        assert event.after_tokens <= 0.7 * event.before_tokens
    history = one.history
    assert history[0]["role"] == "system"
    assert history[1]["content"] == "Find the parser; never touch setup.py."
    summed = [event for event in one.compactions if event.summary]
    assert summed
    assert summed[-1].summary == SAID
    told = next(message for message in history if str(message["content"]).startswith(SUMMARY))
    assert told["role"] == "assistant"
    assert SAID in told["content"]
    assert "[>] mend it" in told["content"]
    assert "look 9 says" in history[-2]["content"]  # the last step, whole
    assert len(history[-2]["content"]) > 2_000
    assert same(history, replayed(one))


def test_outputs_shrink_first_and_a_summary_is_asked_for_only_where_that_is_not_enough(windowed) -> None:
    one = windowed([*looks(4), reply("Looked.")], known=8_192, size=6_000)
    one.say("look")
    (event,) = one.compactions
    assert (event.summary, event.left_out) == ("", 0)
    assert event.outputs >= 2
    assert not one.questions
    assert "characters left out to make room" in one.history[3]["content"]
    assert same(one.history, replayed(one))


def test_the_summary_is_asked_for_behind_the_conversation_as_it_was_sent(windowed) -> None:
    one = windowed([*looks(10), reply("Done.")], size=5_000, known=8_192)
    one.say("look")
    number = next(at for at, request in enumerate(one.server.requests) if is_question(request))
    before, asked = one.server.bodies[number - 1 : number + 1]
    assert asked.startswith(before[: before.rindex(b'],"tools"')])


def test_where_the_window_is_not_known_nothing_is_compacted_by_itself(windowed) -> None:
    one = windowed([*looks(12), reply("Done.")], window=100_000)
    one.say("look")
    assert one.compactions == []


def test_with_a_share_of_zero_nothing_is_compacted_by_itself(windowed) -> None:
    one = windowed([*looks(8), reply("Done.")], known=4_096, window=100_000, compact_at=0.0)
    one.say("look")
    assert one.compactions == []


@pytest.mark.hostile(72)
@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is {} tokens. However, your messages resulted in {} tokens.",
        "the request exceeds the available context size. try increasing the context size",
        "prompt is too long",
    ],
)
def test_a_refused_conversation_is_compacted_once_and_the_run_goes_on(windowed, words) -> None:
    one = windowed([*looks(14), reply("All done.")], words=words)
    assert one.say("Find it.") == "completed"
    assert one.refused >= 1
    assert {event.by for event in one.compactions} <= {"overflow", "limit"}
    assert one.compactions[0].by == "overflow"
    assert one.history[1]["content"] == "Find it."
    assert same(one.history, replayed(one))


def test_a_refusal_that_tells_the_window_is_remembered(windowed) -> None:
    one = windowed([*looks(10), reply("All done.")], size=5_000)
    one.say("Find it.")
    assert one.refused == 1
    assert [event.by for event in one.compactions][:2] == ["overflow", "limit"]


def test_what_cannot_be_made_to_fit_is_a_clear_error(windowed) -> None:
    one = windowed([reply("Hi")], window=700)
    with pytest.raises(Exception, match=r"longer than m can see, also compacted.*/new"):
        one.agent.converse("word " * 2_000)
    assert one.refused <= 2


def test_an_output_that_is_too_long_by_itself_is_cut_to_what_fits(windowed) -> None:
    one = windowed([*looks(1), reply("Done.")], size=60_000, known=8_192)
    assert one.say("look") == "completed"
    assert one.refused == 0
    assert len(one.history[3]["content"]) > 8_000


@pytest.mark.parametrize("failure", [status(500, "out of memory"), broken("Looked at"), reply(""), status(400, "no")])
def test_where_the_summary_fails_older_messages_are_left_out_without_and_it_is_told(windowed, failure: Step) -> None:
    one = windowed([*looks(10), reply("All done.")], size=5_000, known=8_192, summary=failure)
    assert one.say("Find it.") == "completed"
    assert one.refused == 0
    assert any("could not sum up" in text for text in one.told())
    assert any(str(message["content"]).startswith(NO_SUMMARY) for message in one.history)
    assert same(one.history, replayed(one))


def test_a_model_that_calls_a_tool_instead_is_asked_without_tools(windowed) -> None:
    def summary(request: dict[str, Any]) -> Step:
        return reply(tool_calls=[("bash", {"cmd": "no"})]) if request.get("tools") else reply("Summed up.")

    one = windowed([*looks(10), reply("All done.")], size=5_000, known=8_192, summary=summary)
    one.say("Find it.")
    assert [event.summary for event in one.compactions if event.summary][-1] == "Summed up."


@pytest.mark.hostile(30, 72)
def test_an_interrupt_during_the_summary_leaves_the_history_as_it_was(windowed) -> None:
    one = windowed([*looks(10), reply("All done.")], size=5_000, known=8_192, summary=silent())
    assert one.say("Find it.", max_time=1.0) == "timeout"
    assert not any(event.summary for event in one.compactions)
    assert same(one.history, replayed(one))


def test_what_the_person_said_last_stays_word_for_word(windowed) -> None:
    one = windowed(
        [step for n in range(9) for step in (*looks(1, n), reply(f"Answer {n}."))], known=8_192, size=4_000
    )
    for n in range(9):
        one.say(f"Question {n}: keep this rule {n}!")
    assert one.refused == 0
    said = [message["content"] for message in one.history if message["role"] == "user"]
    task, *later = said[0].split(LATER)
    assert task == "Question 0: keep this rule 0!"
    asked = [*later, *said[1:]]
    assert asked[-2:] == ["Question 7: keep this rule 7!", "Question 8: keep this rule 8!"]
    assert len(asked) == len(set(asked)), "compacted more than once, and said once"
    assert same(one.history, replayed(one))


def test_no_word_is_put_into_the_model_s_mouth_but_its_summary(windowed) -> None:
    one = windowed(
        [step for n in range(5) for step in (*looks(4, n), reply(f"Answer {n}."))], known=8_192, size=6_000
    )
    for n in range(5):
        one.say(f"Question {n}")
    assert sum(bool(event.summary) for event in one.compactions) > 1
    answers = [message["content"] for message in one.history if message["role"] == "assistant" and message["content"]]
    assert answers[0].endswith(SAID)
    assert all(text.startswith(("Answer", "Step")) for text in answers[1:])
    said = [text for message in one.history if message["role"] == "user" for text in message["content"].split(LATER)]
    assert said[0] == "Question 0"
    assert said[-2:] == ["Question 3", "Question 4"]


def test_a_summary_without_an_end_is_ended(windowed) -> None:
    endless = reply("and so on " * 100_000, chunk_size=1_000, chunk_delay=0.01)  # ten seconds of it
    one = windowed([*looks(10), reply("Done.")], known=8_192, size=5_000, summary=endless)
    began = time.monotonic()
    one.say("Find the parser.")
    summed = [event for event in one.compactions if event.summary]
    assert summed
    for event in summed:
        assert event.summary.startswith("and so on")
        assert len(event.summary) < 4_000
    assert time.monotonic() - began < 8 * len(summed)


def test_by_hand_with_a_hint_also_where_the_window_is_not_known(windowed) -> None:
    one = windowed([*looks(6), reply("Found it.")], window=100_000)
    one.say("Find it.")
    assert one.agent.compact("the name of the parser")
    (event,) = one.compactions
    assert event.by == "user"
    assert event.after_tokens < event.before_tokens
    assert "Above all: the name of the parser" in one.questions[0]["messages"][-1]["content"]
    assert same(one.history, replayed(one))
    assert one.say("And now?") if one.script else True


def test_nothing_to_compact_is_told(windowed) -> None:
    one = windowed([reply("Hi.")])
    one.say("hello")
    assert not one.agent.compact()
    assert one.told() == ["There is nothing to compact: the conversation is the task and the last steps."]
    assert not one.questions


def test_an_undone_compaction_gives_back_the_history_and_so_does_a_resume(windowed) -> None:
    one = windowed([*looks(6), reply("Found it.")], window=100_000)
    one.say("Find it.")
    whole = list(one.history)
    one.agent.compact()
    assert len(one.history) < len(whole)
    one.bus.publish(ContextRestored(compaction_id=one.compactions[0].compaction_id))
    one.agent.remember(one.events)
    assert list(one.history) == whole
    assert same(one.history, replayed(one))


def test_compactions_on_top_of_each_other_and_the_small_profile(windowed) -> None:
    one = windowed([*looks(16), reply("All done.")], known=4_096, window=4_096, profile="small", size=4_000)
    assert one.say("Find the parser.") == "completed"
    assert one.refused == 0
    assert len(one.compactions) >= 2
    task = one.history[1]
    assert (task.origin, task.words) == ("user", "Find the parser.")
    assert same(one.history, replayed(one))


def test_a_small_model_goes_on_from_its_last_answer_without_a_summary(windowed) -> None:
    answers = [f"Answer {n}: " + "it is in parse.py. " * 60 for n in range(8)]
    one = windowed([reply(text) for text in answers], known=2_048, window=2_048, profile="small")
    for n in range(8):
        one.say(f"Question {n}?")
    assert one.refused == 0
    assert one.compactions
    assert one.questions == []
    assert not any(event.summary for event in one.compactions)
    said = [message["content"] for message in one.history if message["role"] == "assistant"]
    assert all(text.startswith("Answer") for text in said)
    assert same(one.history, replayed(one))
    last = next(event for event in reversed(one.events) if isinstance(event, ContextCompacted))
    assert last.after_tokens < last.before_tokens


@pytest.mark.hostile(72)
def test_the_history_of_stored_events_is_the_one_that_was_live(windowed, seed: int) -> None:
    chance = random.Random(seed)
    script: list[Step] = []

    def next_step(request: dict[str, Any]) -> Step:
        if chance.random() < 0.2:
            return reply(f"Answer {chance.random()}." * chance.randint(1, 40), reasoning="hm" * chance.randint(0, 50))
        calls = [("bash", {"cmd": f"look {chance.random()}"}) for _ in range(chance.randint(1, 3))]
        return reply("So." if chance.random() < 0.5 else None, tool_calls=calls)

    script += [next_step] * 400
    known = chance.choice([None, 6_000, 9_000])
    summary = chance.choice([reply(SAID), reply("long " * 3_000), status(500, "no"), reply("")])
    one = windowed(script, window=9_000, known=known, summary=summary, size=chance.choice([300, 3_000, 30_000]))
    for n in range(4):
        one.agent.runtime.size = chance.choice([200, 2_000, 20_000])
        one.say(f"Prompt {n} " * chance.randint(1, 60), max_steps=chance.randint(1, 7))
        if chance.random() < 0.3:
            one.agent.compact()
        if chance.random() < 0.3 and one.compactions:
            one.bus.publish(ContextRestored(compaction_id=one.compactions[-1].compaction_id))
            one.agent.remember(one.events)
            one.agent.compactor.undone = True
        assert same(one.history, replayed(one))
        assert size({"messages": list(one.history)}) < 30_000


# Pictures


def picture(text: str) -> list[dict[str, Any]]:
    url = "data:image/png;base64," + "A" * 3_000
    return [{"type": "text", "text": f"{text} [Image a.png]"}, {"type": "image_url", "image_url": {"url": url}}]


def test_old_pictures_go_first_leave_a_mark_and_the_newest_stay(windowed) -> None:
    one = windowed([reply(f"Answer {n}.") for n in range(8)], known=8_192)
    for n in range(8):
        one.agent.converse(picture(f"look {n}"))
    assert one.refused == 0
    assert sum(event.images for event in one.compactions) >= 2
    said = [message["content"] for message in one.history if message["role"] == "user"]
    assert said[0].startswith("look 0 [Image a.png]")
    assert "Pictures were left out here" in said[0]
    assert said[-1] == picture("look 7")
    assert not one.questions  # that was enough: nothing had to be summed up
    assert same(one.history, replayed(one))


# Counting


def test_the_server_s_count_is_taken_and_the_rest_estimated() -> None:
    meter = Meter()
    messages: list[dict[str, Any]] = [{"role": "user", "content": "x" * 3_000}]
    assert meter.tokens(messages, None) == 1_004
    meter.measure(messages, None, Usage(700, 1, 701))
    assert meter.tokens(messages, None) == 700
    messages.append({"role": "assistant", "content": "y" * 300})
    assert meter.tokens(messages, None) == 700 + 104
    messages[0] = {"role": "user", "content": "x" * 3_000}  # another beginning: all by the rule, scaled
    assert meter.tokens(messages, None) == round((1_004 + 104) * 700 / 1_004)


def test_a_count_of_what_is_new_only_is_not_taken() -> None:
    meter = Meter()
    messages = [{"role": "user", "content": "x" * 30_000}]
    meter.measure(messages, None, Usage(12, 1, 13))
    assert meter.tokens(messages, None) == 10_004


def test_the_rule_errs_towards_more() -> None:
    assert of_message({"role": "user", "content": "The quick brown fox jumps over the lazy dog."}) >= 10
    assert of_message({"role": "user", "content": "日本語のテキスト"}) >= 8
    image = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    assert IMAGE < of_message({"role": "user", "content": image}) < IMAGE + 10


def test_counting_costs_the_same_however_long_the_conversation_is() -> None:
    class Watched(list):  # type: ignore[type-arg]
        looked = 0

        def __getitem__(self, at: Any) -> Any:
            Watched.looked += 1
            return super().__getitem__(at)

    messages = Watched({"role": "user", "content": f"{n}"} for n in range(10_000))
    meter = Meter()
    meter.tokens(messages, None)
    Watched.looked = 0
    for _ in range(10):
        messages.append({"role": "user", "content": "new"})
        meter.tokens(messages, None)
    assert Watched.looked <= 60

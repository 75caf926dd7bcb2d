"""The application at work for a while leaves nothing behind."""

from __future__ import annotations

from benchmarks.soak import Sample, soak, verdicts


def test_a_short_day_of_work_leaves_nothing_behind() -> None:
    said: list[str] = []
    assert soak(5, said.append), "\n".join(said)


def test_what_is_wrong_is_told() -> None:
    first = Sample(1, 80.0, 7, 15, {"pygent.a.B": 10, "textual.strip.Strip": 0})
    assert verdicts(first, Sample(3, 81.0, 8, 15, {"pygent.a.B": 60, "textual.strip.Strip": 9000}), "", [], 0) == []
    told = verdicts(first, Sample(3, 181.0, 27, 85, {"pygent.a.B": 9010}), "a warning", ["sleep 300"], 1)
    assert [line.split(":")[0].split()[0] for line in told] == [
        "memory",
        "threads",
        "descriptors",
        "objects",
        "problems",
        "processes",
        "the",
    ]

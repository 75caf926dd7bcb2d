"""Scores of a quiz."""


def points(answers, solution):
    """One point for each right answer."""
    total = 0
    for given, right in zip(answers, solution):
        if given.strip().lower() == right.lower():
            total += 1
    return total


def grade(answers, solution):
    """A for all points, B for at least half of them, else C."""
    reached = points(answers, solution)
    if reached == len(solution):
        return "A"
    if reached * 2 >= len(solution):
        return "B"


def summary(name, answers, solution):
    return f"{name}: {points(answers, solution)} of {len(solution)}, {grade(answers, solution)}"

"""Scores of players, in files with lines such as ``name: 12``."""


def best(path):
    """The name of the player with the highest score."""
    scores = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            scores[name.strip()] = int(value)
    if not scores:
        return None
    return max(scores, key=scores.get)


def average(path):
    """The mean of all scores, rounded."""
    scores = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            scores[name.strip()] = int(value)
    if not scores:
        return 0
    return round(sum(scores.values()) / len(scores))

"""Scores of players, in files with lines such as ``name: 12``."""


def read_scores(path):
    """The scores by name."""
    scores = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            scores[name.strip()] = int(value)
    return scores


def best(path):
    """The name of the player with the highest score."""
    scores = read_scores(path)
    if not scores:
        return None
    return max(scores, key=scores.get)


def average(path):
    """The mean of all scores, rounded."""
    scores = read_scores(path)
    if not scores:
        return 0
    return round(sum(scores.values()) / len(scores))

"""How long visitors stay."""


def average_stay(minutes):
    """The mean of some stays in minutes, rounded; 0 on a day without visitors."""
    return round(sum(minutes) / len(minutes))


def longest_stay(minutes):
    return max(minutes, default=0)


def report(day, minutes):
    """One line about a day."""
    return f"{day}: {len(minutes)} visitors, {average_stay(minutes)} min on average, {longest_stay(minutes)} at most"

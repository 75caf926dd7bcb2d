"""Tickets of a support desk."""

PREFIX = "T-"


def ticket_id(number):
    """The name of a ticket: T-0042."""
    return PREFIX + number.zfill(4)


def title(number, subject):
    """The line of a ticket in a list; long subjects are cut."""
    if len(subject) > 20:
        subject = subject[:17] + "..."
    return "[" + ticket_id(number) + "] " + subject


def listing(subjects):
    """All subjects as lines, numbered from 1."""
    lines = []
    for number, subject in enumerate(subjects, 1):
        lines.append(title(number, subject))
    return lines

"""Badges for visitors."""

from helpers import initials


def badge(name, company):
    return f"[{initials(name)}] {name}, {company}"

"""Contacts out of people.json."""

import json


def people():
    with open("people.json") as file:
        return json.load(file)


def email_of(name):
    """The address of a person; None for somebody without one."""
    for person in people():
        if person["name"] == name:
            return person.get("mail")
    raise KeyError(name)


def with_email():
    """The names of all who have an address."""
    return [person["name"] for person in people() if "mail" in person]

"""Short mails."""

import helpers


def greeting(name, messages):
    return f"{helpers.initials(name)}: you have {helpers.plural(messages, 'message')}"

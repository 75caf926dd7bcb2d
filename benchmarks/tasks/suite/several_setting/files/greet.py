"""Greets people as settings.json says."""

import json
from pathlib import Path


def settings(path="settings.json"):
    return json.loads(Path(path).read_text())


def greet(name, path="settings.json"):
    values = settings(path)
    return f"Good day, {name}{values['punctuation']}"

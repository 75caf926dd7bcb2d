"""A JSON schema of settings files, for editors."""

from __future__ import annotations

from typing import Any

from pygent.settings.fields import FIELDS
from pygent.settings.kinds import plain
from pygent.settings.model import Settings


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of ``config.yaml``; an editor's YAML mode completes and checks with it."""
    defaults = Settings().values()
    properties: dict[str, Any] = {}
    for field in FIELDS:
        schema = dict(field.kind.schema())
        schema = {"anyOf": [schema, {"type": "null"}], "description": f"{field.about}."}
        default = defaults.get(field.key)
        if isinstance(default, (str, int, float, bool)):
            schema["default"] = plain(default)
        properties[field.key] = schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Pygent",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }

import re

FILTERS = {"upper": str.upper, "lower": str.lower, "strip": str.strip, "title": str.title}
PIECE = re.compile(r"\{\{|\}\}|\{(\w+)(?::([^|{}]*))?((?:\|\w+)*)\}")


def render(template, values):
    def replace(match):
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name, default, filters = match.groups()
        if name not in values and default is None:
            raise KeyError(name)
        text = str(values.get(name, default))
        for word in filters.split("|")[1:]:
            if word not in FILTERS:
                raise ValueError(f"no such filter: {word}")
            text = FILTERS[word](text)
        return text

    return PIECE.sub(replace, template)

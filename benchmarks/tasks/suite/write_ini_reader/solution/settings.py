WORDS = {"yes": True, "on": True, "no": False, "off": False}


def value_of(text):
    if text in WORDS:
        return WORDS[text]
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def read_settings(text):
    result = {}
    section = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = result.setdefault(line[1:-1].strip(), {})
        elif "=" in line and section is not None:
            name, _, value = line.partition("=")
            section[name.strip()] = value_of(value.strip())
        else:
            raise ValueError(f"line {number}: {line}")
    return result

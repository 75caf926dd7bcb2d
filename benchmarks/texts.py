"""What the scripted models say: Markdown with all that answers are made of, cut into tokens."""

from __future__ import annotations

import re

LAST = "Zuletzt-war-dies."
"""Ends a streamed answer; stands nowhere else."""

_SECTION = '''## Step {n}: the reader

The **reader** of `module_{n}` takes one line after the other; it *never* looks back, so its memory stays flat. See
[the notes](https://example.org/{n}) for what was tried before, and why a table of {n} rows was not enough.

- first, the names are read as they come
- then each is looked up:
  - in the table of this module, {n} times
  - in that of its parent
- what is left is told

| name | count | share |
|---|---:|---:|
| alpha_{n} | {n} | 12.5 % |
| beta_{n} | 1{n} | 50 % |
| gamma | 3 | 37.5 % |

```python
def read_{n}(lines: Iterable[str]) -> Iterator[Entry]:
    """Answer the entries of ``lines`` in order."""
    for number, line in enumerate(lines, start={n}):
        name, _, value = line.partition("=")
        if not value:
            raise ValueError(f"line {{number}}: no value in {{line!r}}")
        yield Entry(name.strip(), value.strip(), number)
```

1. Run the tests of `module_{n}`.
2. Look at what they say.

> A line that is left out is worse than one that is wrong.

'''


def tokens(count: int) -> list[str]:
    """About ``count`` pieces as models send them: words with the blank before them, signs, line ends."""
    pieces: list[str] = []
    number = 0
    while len(pieces) < count:
        number += 1
        pieces += re.findall(r" ?\w+|\s+|[^\w\s]{1,2}", _SECTION.format(n=number))
    return [*pieces[: count - 1], f"\n\n{LAST}\n"]


def fence(lines: int) -> list[str]:
    """One code block of many lines, as pieces."""
    code = "".join(f"    value_{n} = read(lines[{n}], strict=True)  # entry {n}\n" for n in range(lines))
    return ["```python\n", *re.findall(r" ?\w+|\s+|[^\w\s]{1,2}", code), "```\n", f"\n{LAST}\n"]

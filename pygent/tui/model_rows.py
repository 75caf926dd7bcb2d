"""The models that can be chosen, as the list of models shows them: what each server offers. Knows no screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pygent.settings.provider import server_of
from pygent.tui.text import clean_line, count, money, plural

if TYPE_CHECKING:
    from pygent.session_model import OfferedBy
    from pygent.settings import Settings

State = Literal["asked", "told", "silent"]


@dataclass(slots=True)
class ServerRow:
    """A server and its models, as far as they are known; ``why`` says why it does not tell them."""

    provider: str
    address: str
    state: State = "asked"
    why: str = ""
    models: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return clean_line(self.provider) or "base_url"

    @property
    def said(self) -> str:
        """How far it has got, in words."""
        if self.state == "asked":
            return "asking …"
        return plural(len(self.models), "model") if self.state == "told" else "does not tell"


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model; ``facts`` are its window and prices where the settings say them. ``typed``: no server told of it."""

    name: str
    provider: str = ""
    present: bool = False
    facts: str = ""
    typed: bool = False

    @property
    def label(self) -> str:
        """The name without its provider's."""
        return self.name.removeprefix(f"{self.provider}/") if self.provider else self.name


Row = ServerRow | ModelRow | str


class ModelRows:
    """What the servers have told so far, and the rows that this makes; a ``str`` is why a server tells nothing."""

    def __init__(self, settings: Settings, present: str, servers: Iterable[OfferedBy]) -> None:
        self._settings = settings
        self.present = present
        self.servers = [ServerRow(one.provider, one.address, models=list(one.models)) for one in servers]
        known = {model for server in self.servers for model in server.models}
        if present not in known:
            here = server_of(settings, present).provider
            for server in self.servers:
                if server.provider == here:
                    server.models.insert(0, present)

    @property
    def asked(self) -> int:
        """How many servers have not answered yet."""
        return sum(server.state == "asked" for server in self.servers)

    def again(self) -> None:
        """All are asked once more."""
        for server in self.servers:
            server.state, server.why = "asked", ""

    def told(self, provider: str, models: Sequence[str], why: str = "") -> None:
        """A server has answered, or did not: ``why``."""
        for server in self.servers:
            if server.provider == provider:
                server.state, server.why = ("silent" if why else "told"), why.removeprefix(f"{server.address} ")
                server.models = list(dict.fromkeys([*server.models, *models]))

    def rows(self, text: str) -> list[Row]:
        """The rows with all words of ``text`` in them; what was typed can be chosen, too."""
        words = text.casefold().split()
        out: list[Row] = []
        exact = False
        for server in self.servers:
            found = [name for name in server.models if all(word in _found_in(server, name) for word in words)]
            exact = exact or text in server.models
            if words and not found:
                continue
            out.append(server)
            if server.why:
                out.append(server.why)
            out += [self._model(server, name) for name in found]
        if text and not exact and " " not in text:
            out.append(ModelRow(text, typed=True))
        return out

    def _model(self, server: ServerRow, name: str) -> ModelRow:
        known = server_of(self._settings, name)
        facts = [f"{count(known.context_window)} tokens"] if known.context_window and server.provider else []
        price = known.prices.get(known.model)
        if price:
            facts.append(f"{money(price.get('input', 0.0))} / {money(price.get('output', 0.0))}")
        return ModelRow(name, server.provider, name == self.present, " · ".join(facts))


def _found_in(server: ServerRow, name: str) -> str:
    return f"{name} {server.address}".casefold()

"""The part of the table of settings that is about the model and its server; see ``fields``."""

from __future__ import annotations

from pygent.settings import kinds
from pygent.settings.compat_kind import CompatKind
from pygent.settings.field import Field
from pygent.settings.model import PROFILES
from pygent.settings.provider_kinds import Providers
from pygent.settings.server_kinds import Headers, Proxy

_MODEL = "model"

MODEL_FIELDS: tuple[Field, ...] = (
    Field(
        key="model",
        kind=kinds.Text(),
        group=_MODEL,
        variable="PYGENT_MODEL",
        options=("--model", "-m"),
        metavar="NAME",
        about="Model to ask",
    ),
    Field(
        key="base_url",
        kind=kinds.Url(),
        group=_MODEL,
        variable="OPENAI_BASE_URL",
        options=("--base-url",),
        metavar="URL",
        about="OpenAI-compatible endpoint, with its /v1",
    ),
    Field(
        key="api_key",
        kind=kinds.Text(),
        group=_MODEL,
        variable="OPENAI_API_KEY",
        secret=True,
        about="Key of the model server; better kept in credentials.yaml or the variable",
    ),
    Field(
        key="providers",
        kind=Providers(),
        group=_MODEL,
        merge="update",
        about="Model servers by name, whose models are NAME/MODEL: {base_url, key_variable, keyring, models, …}",
    ),
    Field(
        key="headers",
        kind=Headers(),
        group=_MODEL,
        merge="update",
        about="HTTP headers that every request to the model server has besides",
    ),
    Field(
        key="proxy",
        kind=Proxy(),
        group=_MODEL,
        about="Proxy on the way to the model server; unset: that of HTTPS_PROXY or HTTP_PROXY, none to this machine",
    ),
    Field(
        key="certificates",
        kind=kinds.FilePath(),
        group=_MODEL,
        about="PEM file of authorities whose certificates are trusted besides the system's",
    ),
    Field(
        key="first_token_timeout",
        kind=kinds.Seconds(),
        group=_MODEL,
        about="Seconds to wait for the first piece of an answer before it is asked for again (600)",
    ),
    Field(
        key="token_timeout",
        kind=kinds.Seconds(),
        group=_MODEL,
        about="Seconds to wait for each further piece of an answer before it is asked for again (600)",
    ),
    Field(
        key="max_tokens",
        kind=kinds.Whole(1),
        group=_MODEL,
        about="Tokens that one answer may have; unset: the server's own limit",
    ),
    Field(
        key="context_window",
        kind=kinds.Whole(256),
        group=_MODEL,
        about="Tokens that the model can see at once; unset: what its server or its file tells, if it does",
    ),
    Field(
        key="compact_at",
        kind=kinds.Number("a share from 0 (never) to 0.95", least=0, most=0.95),
        group=_MODEL,
        about="Share of the context window at which older messages are summed up; 0: never by itself",
    ),
    Field(
        key="temperature",
        kind=kinds.Number("a number from 0 to 2", least=0, most=2),
        group=_MODEL,
        about="Randomness of the model's answers; unset: OpenAI's own default, 0.2 for other servers",
    ),
    Field(
        key="profile",
        kind=kinds.Choice(*PROFILES),
        group=_MODEL,
        variable="PYGENT_PROFILE",
        options=("--profile",),
        metavar="PROFILE",
        about="Texts and tools for the model: full, small (short, files shown at once), auto (by the model's size)",
    ),
    Field(
        key="text_tool_calls",
        kind=kinds.Flag(),
        group=_MODEL,
        in_workspace="only false",
        about="Understand tool calls that a model writes as text",
    ),
    Field(
        key="vision",
        kind=kinds.AutoFlag(),
        group=_MODEL,
        about="Send images to the model (auto: to models that are known to see)",
    ),
    Field(
        key="compat",
        kind=CompatKind(),
        group=_MODEL,
        merge="update",
        about="What a model's server needs of requests, by the pattern of the model's name",
    ),
    Field(
        key="prices",
        kind=kinds.Prices(),
        group=_MODEL,
        merge="update",
        about="Prices of a million tokens by model: {input, output, cached_input}",
    ),
)

"""All sources together: defaults, files, variables, options; later ones win."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.settings.default_personas import DEFAULT_PERSONAS, MAIN_PERSONA
from pygent.settings.environment import environment_layer, suspicious
from pygent.settings.fields import BY_KEY
from pygent.settings.file_source import PERSONA_FOLDER, folder_layer, read_layer
from pygent.settings.kinds import Flag, Texts, absolute
from pygent.settings.layers import Layer, Value, joined, merge
from pygent.settings.model import Settings
from pygent.settings.narrow import narrow
from pygent.settings.nodes import Invalid, Node, nearest
from pygent.settings.paths import WORKSPACE_FOLDER, config_dir
from pygent.settings.trust import is_trusted
from pygent.settings.yaml_source import read_yaml

USER_FILE = "config.yaml"
CREDENTIALS_FILE = "credentials.yaml"


def load(
    *,
    workspace: Path | None = None,
    config_file: Path | None = None,
    options: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    forgiving: bool = False,
) -> Settings:
    """The merged settings.

    ``workspace`` is the folder to work in where no source names one; None means a temporary one. ``config_file`` is
    what ``--config`` names. ``options`` are the command line's values by key; a text is read as an option's text, and
    None counts as not given. Raises ``SettingsError``, all complaints in one. Where it is ``forgiving``, mistakes in
    files are no reason for that: they are left out and stand in the notices, and where they could have been limits
    the settings are the most careful ones.
    """
    problems: list[SettingsError] = []
    given = _options_layer(options or {}, problems)
    environ = dict(os.environ if environ is None else environ)
    if "env" in given:
        environ.update(given["env"].value)
    notices = suspicious(environ)
    user = _user_layer(config_dir(environ), problems, notices)
    named = _named_file(config_file, environ, problems)
    try:
        variables = environment_layer(environ)
    except SettingsError as error:
        problems.append(error)
        variables = {}
    folder = _workspace([user, named, variables, given], workspace, problems)
    saved = _saved_layer(user, [named, variables, given], problems)
    in_workspace = _workspace_layer(folder, user, environ, problems, notices) if folder is not None else {}
    if problems and not (forgiving and all(problem.file for problem in problems)):
        raise joined(problems)
    layers = [{"workspace": Value(folder, "default")}, user, saved, in_workspace, named, variables, given]
    try:
        merged = merge(layers, notices)
    except SettingsError as error:
        if not (forgiving and error.file):
            raise
        problems.append(error)
        merged = merge(
            [{key: value for key, value in layer.items() if key != "persona"} for layer in layers], notices
        )
    if not problems:
        return merged
    from pygent.settings.lenient import lenient  # noqa: PLC0415 - only where something is wrong

    return lenient(merged, problems)


def elsewhere(settings: Settings, workspace: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """``settings`` as they are in another workspace: files and variables read anew, what was said besides kept.

    Raises ``SettingsError``.
    """
    said = {
        key: value
        for key, value in settings.values().items()
        if key in {"model", "base_url", "api_key"} or (key in BY_KEY and _said_besides(settings.source(key)))
    }
    return load(options={**said, "workspace": str(workspace), "ephemeral": False}, environ=environ)


def _said_besides(source: str) -> bool:
    """Whether a value came from an option, or from a file that only the command line names."""
    last = source.rpartition(" + ")[2]
    own = (f"{USER_FILE}:", f"{CREDENTIALS_FILE}:", f"{WORKSPACE_FOLDER}/", f"{PERSONA_FOLDER}/")
    return last.startswith("--") or (":" in last and not last.startswith(own))


def existing_init_files(settings: Settings) -> tuple[Path, ...]:
    """The files and folders to begin with. Raises ``SettingsError`` where one is not there."""
    for path in settings.init_files:
        if not path.exists():
            source = settings.source("init_files")
            text = f"{source}: {str(path)!r} does not exist; accepted: files and folders of this machine"
            raise SettingsError(text, key="init_files")
    return settings.init_files


def config_files(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """The files that ``load`` looks at, by what they are for; they need not exist."""
    environ = os.environ if environ is None else environ
    folder = config_dir(environ)
    out = {"user": folder / USER_FILE, "credentials": folder / CREDENTIALS_FILE}
    if settings.workspace is not None:
        out["workspace"] = settings.workspace / WORKSPACE_FOLDER / USER_FILE
    if environ.get("PYGENT_CONFIG", "").strip():
        out["named"] = Path(environ["PYGENT_CONFIG"]).expanduser()
    return out


def user_layer(folder: Path) -> Layer:
    """What the person's own two files say. Raises ``SettingsError``, all complaints in one."""
    problems: list[SettingsError] = []
    layer = _user_layer(folder, problems, [])
    if problems:
        raise joined(problems)
    return layer


def _user_layer(folder: Path, problems: list[SettingsError], notices: list[str]) -> Layer:
    layer = folder_layer(folder, USER_FILE, USER_FILE, problems)
    path = folder / CREDENTIALS_FILE
    try:
        root = read_yaml(path)
    except SettingsError as error:
        error.whole = True
        problems.append(error)
        root = None
    if root is not None:
        found = read_layer(root, path, CREDENTIALS_FILE, problems)
        for key in found.keys() - {"api_key"}:
            text = f"only api_key belongs here; move {key} to {USER_FILE}"
            problems.append(SettingsError(text, file=path, line=found.pop(key).line, key=key))
        layer.update(found)
    secret = layer.get("api_key")
    if secret is not None and secret.file and _others_can_read(Path(secret.file)):
        notices.append(f"{secret.file} holds a key and can be read by others; mend it with: chmod 600 {secret.file}")
    return layer


def _others_can_read(path: Path) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & 0o044)
    except OSError:
        return False


def _named_file(config_file: Path | None, environ: Mapping[str, str], problems: list[SettingsError]) -> Layer:
    name = environ.get("PYGENT_CONFIG", "").strip()
    source = "--config" if config_file is not None else "PYGENT_CONFIG"
    if config_file is None and not name:
        return {}
    path = Path(config_file or name).expanduser()
    if not path.exists():
        problems.append(SettingsError(f"{source} {str(path)!r}: there is no such file", key="config"))
        return {}
    return folder_layer(path.parent, path.name, str(path), problems)


def _workspace(layers: list[Layer], default: Path | None, problems: list[SettingsError]) -> Path | None:
    chosen: Value | None = None
    ephemeral = False
    for layer in layers:
        chosen = layer.get("workspace", chosen)
        if "ephemeral" in layer:
            ephemeral = bool(layer["ephemeral"].value)
    if "workspace" in layers[-1] and "ephemeral" in layers[-1] and ephemeral:
        problems.append(SettingsError("--workspace and --ephemeral exclude each other", key="workspace"))
    folder = chosen.value if chosen else default
    if folder is None or ephemeral:
        return None
    real = Path(os.path.realpath(folder))
    if real.exists() and not real.is_dir():
        source = chosen.source if chosen else "workspace"
        problems.append(SettingsError(f"{source}: {str(folder)!r} is not a folder", key="workspace"))
    for layer in layers:
        if chosen is not None and layer.get("workspace") is chosen:
            layer["workspace"] = Value(real, chosen.source)
    return real


def _workspace_layer(
    workspace: Path,
    user: Layer,
    environ: Mapping[str, str],
    problems: list[SettingsError],
    notices: list[str],
) -> Layer:
    folder = workspace / WORKSPACE_FOLDER
    if not any(os.path.lexists(folder / name) for name in (USER_FILE, PERSONA_FOLDER)):
        return {}
    if not is_trusted(workspace, environ):
        notices.append(
            f"The settings in {folder} are ignored until you trust this folder: /trust, or: pygent config trust"
        )
        return {}
    layer = folder_layer(folder, USER_FILE, f"{WORKSPACE_FOLDER}/{USER_FILE}", problems)
    narrowed, more = narrow(layer, *_user_has(user))
    notices.extend(more)
    return narrowed


def _saved_layer(user: Layer, others: list[Layer], problems: list[SettingsError]) -> Layer:
    """What stands in the saved state to begin from, where one is named."""
    found = next((layer["snapshot"] for layer in reversed([user, *others]) if "snapshot" in layer), None)
    if found is None or found.value is None:
        return {}
    from pygent.settings.saved import saved_layer  # noqa: PLC0415 - rarely asked for

    return saved_layer(found.value, found.source, *_user_has(user), problems)


def _user_has(user: Layer) -> tuple[Settings, dict[str, Persona]]:
    """The settings that the person's own files make, and the personas that are known with them."""
    below = merge([{key: value for key, value in user.items() if key != "persona"}])
    configured = [*(user["personas"].value if "personas" in user else ())]
    if "persona" in user and isinstance(user["persona"].value, Persona):
        configured.append(user["persona"].value)
    return below, {persona.name: persona for persona in (MAIN_PERSONA, *DEFAULT_PERSONAS, *configured)}


def _options_layer(options: Mapping[str, object], problems: list[SettingsError]) -> Layer:
    layer: Layer = {}
    for key, raw in options.items():
        if raw is None:
            continue
        field = BY_KEY.get(key)
        if field is None:
            problems.append(SettingsError(f"unknown setting {key!r}{nearest(key, BY_KEY)}", key=key))
            continue
        label = field.options[0] if field.options else key
        if raw is False and isinstance(field.kind, Flag) and field.options:
            label = label.replace("--", "--no-", 1)
        try:
            value = _option(key, raw)
        except Invalid as error:
            problems.append(
                SettingsError(f"{label}: {'the value cannot be used' if field.secret else error}", key=key)
            )
            continue
        layer[key] = Value(absolute(value, Path.cwd()), label)
    return layer


def _option(key: str, raw: object) -> Any:
    kind = BY_KEY[key].kind
    if isinstance(raw, Persona) or (isinstance(raw, (list, tuple)) and raw and isinstance(raw[0], Persona)):
        return tuple(raw) if isinstance(raw, (list, tuple)) else raw
    if isinstance(raw, str):
        return kind.from_text(raw)
    if isinstance(kind, Texts) and isinstance(raw, (list, tuple)):
        return {name: value for item in raw for name, value in kind.from_text(str(item)).items()}
    return kind.from_node(Node.of(raw))

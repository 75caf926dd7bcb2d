"""The registry, the decorator, and the built-in tools on a real workspace."""

import enum
import json
from typing import Annotated, Literal, get_args

import pytest

from pygent.changes import OnConflict
from pygent.errors import TaskError, ToolError
from pygent.persona import Persona
from pygent.tools import BUILTIN, REGISTRY, Tool, ToolRegistry, register_tool, tool
from pygent.tools.decorator import schema_of
from tests.fakes.desk import Desk, use

DOCUMENTED = {
    "bash", "write_file", "delegate_task", "delegate_persona_task", "list_personas", "task_status", "collect_file",
    "download_file", "continue", "stop",
}  # fmt: skip


class Least:
    """The least that a runtime may be."""

    def __init__(self):
        self.calls = []

    def bash(self, cmd):
        self.calls.append(cmd)
        return "done"

    def write_file(self, path, content):
        self.calls.append((path, content))
        return "written"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


# -- registry and decorator


def test_the_documented_tools_and_six_more_are_registered():
    more = {"read_file", "edit_file", "search", "update_todos", "wait_for_tasks", "apply_task"}
    assert set(REGISTRY.names()) >= DOCUMENTED | more
    assert len(BUILTIN) == 19


def test_all_definitions_are_short_enough_for_the_first_request():
    seldom = {"present_plan", "web_fetch", "read_image"}  # in plan mode, with the network, to a model that sees
    always = [one.schema for one in BUILTIN if one.name not in seldom]
    assert len(json.dumps(always, separators=(",", ":"))) <= 4700
    for one in BUILTIN:
        assert one.description
        assert one.schema["function"]["parameters"]["type"] == "object"


def test_bash_says_that_every_command_starts_fresh():
    assert "cd and variables do not last" in REGISTRY.get("bash").description


def test_stop_and_continue_accept_nothing():
    for name in ("stop", "continue"):
        assert not REGISTRY.get(name).parameters.get("required")


def test_a_name_is_taken_once():
    registry = ToolRegistry()
    one = registry.add(Tool("hello", "Greet", {"type": "object", "properties": {}}, lambda rt: "hi"))
    with pytest.raises(ValueError, match="'hello' exists"):
        registry.add(one)
    with pytest.raises(ValueError, match="'bash' exists"):
        register_tool("bash", "", {"type": "object"}, lambda rt: "")
    assert "hello" in registry
    assert registry.remove("hello") is one
    assert registry.remove("hello") is None


def test_the_list_of_schemas_is_kept_until_something_changes():
    registry = ToolRegistry(BUILTIN)
    assert registry.schemas() is registry.schemas()
    some = registry.schemas({"stop", "bash"})
    assert [schema["function"]["name"] for schema in some] == ["bash", "stop"]
    assert registry.schemas(["bash", "stop"]) is some
    other = registry.copy()
    registry.remove("stop")
    assert len(registry.schemas()) == 18
    assert len(registry.schemas({"stop", "bash"})) == 1
    assert len(other.schemas()) == 19


@pytest.mark.parametrize(
    ("name", "schema", "function", "error"),
    [
        ("", {"type": "object"}, print, ValueError),
        ("has blank", {"type": "object"}, print, ValueError),
        ("x" * 65, {"type": "object"}, print, ValueError),
        ("ok", {"type": "array"}, print, ValueError),
        ("ok", {"type": "object", "properties": []}, print, ValueError),
        ("ok", {"type": "object", "properties": {}, "required": ["a"]}, print, ValueError),
        ("ok", {"type": "object", "properties": {"a": {"enum": {1, 2}}}}, print, ValueError),
        ("ok", {"type": "object"}, "print", TypeError),
    ],
)
def test_what_cannot_be_a_tool(name, schema, function, error):
    with pytest.raises(error):
        Tool(name, "", schema, function)


def test_an_unknown_effect_is_refused():
    with pytest.raises(ValueError, match="read, write, run"):
        Tool("x", "", {"type": "object"}, print, "magic")


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


def test_the_decorator_reads_the_signature():
    registry = ToolRegistry()

    @tool(registry=registry)
    def paint(
        rt,
        color: Literal["red", "blue"],
        where: Annotated[str, "a path"],
        coats: int = 2,
        names: list[str] | None = None,
        size: Size = Size.SMALL,
        ratio: float = 0.5,
        wet: bool = False,
        extra: dict[str, int] | None = None,
        either: int | str = 1,
        anything=None,
        *args,
        **kwargs,
    ) -> str:
        """Paint a thing.

        In one color.
        """
        return f"{color} {where}"

    made = registry.get("paint")
    assert made.description == "Paint a thing.\n\nIn one color."
    assert made.effect == "run"
    assert made.parameters == {
        "type": "object",
        "properties": {
            "color": {"type": "string", "enum": ["red", "blue"]},
            "where": {"type": "string", "description": "a path"},
            "coats": {"type": "integer", "default": 2},
            "names": {"type": "array", "items": {"type": "string"}},
            "size": {"type": "string", "enum": ["s", "l"]},
            "ratio": {"type": "number", "default": 0.5},
            "wet": {"type": "boolean", "default": False},
            "extra": {"type": "object"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 1},
            "anything": {},
        },
        "required": ["color", "where"],
    }
    assert paint(None, "red", "x") == "red x"


def test_the_decorator_takes_a_name_and_a_description():
    registry = ToolRegistry()

    @tool("look", "Look at it", effect="read", registry=registry)
    def anything(rt) -> None:
        """Not this."""

    assert (registry.get("look").description, registry.get("look").effect) == ("Look at it", "read")
    with pytest.raises(ValueError, match="exists already"):
        tool(name="look", registry=registry)(anything)


def test_the_bare_decorator_registers_for_every_agent():
    @tool
    def greet_for_the_test(rt, name: str) -> str:
        """Greet."""
        return f"Hello {name}!"

    try:
        assert REGISTRY.get("greet_for_the_test").function(None, name="you") == "Hello you!"
    finally:
        REGISTRY.remove("greet_for_the_test")


def test_a_tool_needs_a_place_for_the_run_context():
    with pytest.raises(ValueError, match="run context"):
        schema_of(lambda: None)
    with pytest.raises(ValueError, match="run context"):
        schema_of(lambda *, a: None)


# -- with the least runtime


def test_the_least_runtime_gets_just_the_documented_arguments():
    least = Least()
    assert use("bash", least, cmd="ls", timeout=5) == "done"
    assert use("write_file", least, path="a", content="b") == "written"
    assert least.calls == ["ls", ("a", "b")]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("read_file", {"path": "a"}, "use bash"),
        ("edit_file", {"path": "a", "old": "x", "new": "y"}, "use bash"),
        ("download_file", {"path": "a"}, "use bash"),
        ("search", {"pattern": "a"}, "use bash"),
        ("delegate_task", {"prompt": "x"}, "not available"),
        ("delegate_persona_task", {"prompt": "x", "persona": "p"}, "not available"),
        ("list_personas", {}, "not available"),
        ("task_status", {"task_id": "1"}, "not available"),
        ("collect_file", {"task_id": "1", "path": "a"}, "not available"),
    ],
)
def test_what_the_least_runtime_lacks_is_said(name, arguments, says):
    with pytest.raises(ToolError, match=says):
        use(name, Least(), **arguments)


# -- bash


def test_bash_passes_a_sane_timeout(desk):
    use("bash", desk, cmd="ls")
    use("bash", desk, cmd="ls", timeout=5)
    use("bash", desk, cmd="ls", timeout=1e9)
    assert desk.commands == [("ls", 30), ("ls", 5), ("ls", 3600)]
    for timeout in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ToolError, match="positive number"):
            use("bash", desk, cmd="ls", timeout=timeout)
    with pytest.raises(ToolError, match="empty"):
        use("bash", desk, cmd="  ")


# -- delegation


class Tasks:
    """Runs no task, but keeps what it was asked for."""

    def __init__(self, full=False):
        self.personas = [Persona("Tester", "finds faults"), Persona("Writer", "writes", tools=("bash",))]
        self.started = []
        self.full = full

    def start_task(self, prompt, parent_rt, files=None, parent_depth=0, persona=None, workspace="files"):
        if self.full:
            raise TaskError("max 3 tasks run already")
        self.started.append((prompt, files, parent_depth, persona and persona.name, workspace))
        return "t1"

    def meant(self, task_id):
        return task_id.strip()

    def status(self, task_id):
        return "running" if task_id == "t1" else f"Task {task_id} not found"

    def collect_file(self, rt, task_id, path, dest=None):
        return f"Retrieved {dest or path}" if path == "a" else "Error: 'b' does not exist"


def test_delegation(tmp_path):
    tasks = Tasks()
    desk = Desk(tmp_path, tasks)
    desk.write_file("a", "here")
    assert use("delegate_task", desk, prompt="do it", files=["a"]) == "started t1"
    assert use("delegate_persona_task", desk, prompt="test it", persona=" tester ") == "started t1"
    assert tasks.started == [("do it", ["a"], 0, None, "files"), ("test it", [], 0, "Tester", "copy")]
    with pytest.raises(ToolError, match="Tester, Writer"):
        use("delegate_persona_task", desk, prompt="x", persona="Cook")
    personas = json.loads(use("list_personas", desk))
    assert [list(persona)[:2] for persona in personas] == [["name", "description"]] * 2
    assert use("task_status", desk, task_id="t1") == "running"
    assert use("task_status", desk, task_id="t9") == "Task t9 not found"
    assert use("collect_file", desk, task_id="t1", path="a", dest="b") == "Retrieved b"
    with pytest.raises(ToolError, match=r"^'b' does not exist"):
        use("collect_file", desk, task_id="t1", path="b")
    with pytest.raises(ToolError, match="prompt is empty"):
        use("delegate_task", desk, prompt=" ")


def test_files_that_a_task_shall_make_are_no_files_to_copy(tmp_path):
    tasks = Tasks()
    desk = Desk(tmp_path, tasks)
    desk.write_file("a", "here")
    assert use("delegate_task", desk, prompt="x", files=["new.py"]) == (
        "new.py: not here yet, so the task has a copy of the workspace; started t1"
    )
    assert [(files, kind) for _, files, _, _, kind in tasks.started] == [([], "copy")]
    with pytest.raises(ToolError, match=r"^new.py: there is no such file"):
        use("delegate_task", desk, prompt="x", files=["a", "new.py"])


def test_a_conflict_can_be_decided_in_every_way_that_there_is():
    assert REGISTRY.get("apply_task").parameters["properties"]["on_conflict"]["enum"] == list(get_args(OnConflict))


def test_delegation_has_limits(tmp_path):
    with pytest.raises(ToolError, match="max 3 tasks"):
        use("delegate_task", Desk(tmp_path, Tasks(full=True)), prompt="x")
    with pytest.raises(ToolError, match="cannot delegate again"):
        use("delegate_task", Desk(tmp_path, Tasks(), depth=1), prompt="x")

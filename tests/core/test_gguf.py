"""A GGUF file as the model: the real binding on a tiny file, in its real process, over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.commands import model_check
from pygent.commands.file_check import model_file
from pygent.errors import APIError, Cancelled, SettingsError
from pygent.models.base import Completed, Discarded, ModelNotice, TextDelta
from pygent.models.gguf import GGUFModel, process
from pygent.models.gguf.header import Header, read
from pygent.models.gguf.memory import TooLittleMemory, choose_window
from pygent.models.window import Window
from pygent.sandbox.supervisor import processes
from pygent.session import Session
from pygent.settings import Settings
from tests.fakes.tiny_gguf import AGAIN, ANSWER, LOOP, write_tiny_model

HELLO = [{"role": "user", "content": "hello"}]
ENDLESS = [{"role": "user", "content": f"sing{LOOP}"}]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="module", autouse=True)
def _one_processor() -> Iterator[None]:
    """Threads of llama.cpp wait for each other in a loop, which takes long where others want the processors, too."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if allowed:
        os.sched_setaffinity(0, {max(allowed)})
    yield
    if allowed:
        os.sched_setaffinity(0, allowed)
    process.stop_all()


def text_of(items: list[object]) -> str:
    return "".join(item.text for item in items if isinstance(item, TextDelta))


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process ends in time; one that nobody has waited for yet has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if pid not in processes():
            return True
        time.sleep(0.01)
    return False


def child_of(pid: int) -> int:
    (child,) = (child for child, (parent, _) in processes().items() if parent == pid)
    return child


def test_the_answer_is_streamed_from_a_process_that_agents_share(tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "tiny.gguf")
    told: list[str] = []
    model = GGUFModel(f"gguf:{file}", on_progress=told.append)
    assert model.window is None
    items = list(model.stream(HELLO, "whatever", None))
    assert [type(item) for item in items] == [TextDelta, TextDelta, TextDelta, Completed]
    assert text_of(items) == ANSWER
    assert items[-1].message.usage.completion_tokens == 4
    assert model.window == Window(8192, read(file).parameters, 8192)
    assert told[0] == "Loading tiny.gguf (1 MB) …"
    assert told[1].startswith("tiny.gguf is loaded: a window of 8192 tokens, after ")
    pid = process.shared(file).pid
    assert GGUFModel(f"GGUF:{file}").chat(HELLO, None, None).content == ANSWER
    assert process.shared(file).pid == pid
    assert pid not in {None, os.getpid()}


def test_a_session_has_the_file_as_its_model_and_can_change_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_tiny_model(tmp_path / "other.gguf", window=4096)
    monkeypatch.chdir(file.parent)
    notices: list[str] = []
    session = Session(Settings(model="gguf:tiny.gguf", ephemeral=True, use_docker=False))
    session.subscribe(lambda event: notices.append(event.text) if event.type == "notice" else None)
    try:
        session.open()
        assert session.run("hello", max_steps=1).text == ANSWER
        assert session.status().context_window == 8192
        first = process.shared(file).pid
        with pytest.raises(SettingsError, match="there is no file"):
            session.set_model("gguf:none.gguf")
        assert session.status().model == "gguf:tiny.gguf"
        session.set_model(f"gguf:{other}")
        assert session.run("hello", max_steps=1).text == ANSWER
        assert session.status().context_window == 4096
        assert first is not None
        assert gone(first)  # nobody waited for it
        assert f"Loading {other.name} (1 MB) …" in notices
        persona = session.model_named("gguf:tiny.gguf")  # as one that has a model of its own gets it
        assert persona.model.chat(HELLO, persona.name, None).content == ANSWER
    finally:
        session.close()


def test_a_file_that_is_missing_is_told_when_the_session_opens_and_another_can_be_chosen(file: Path) -> None:
    notices: list[str] = []
    session = Session(Settings(model=f"gguf:{file.parent}/tyni.gguf", ephemeral=True, use_docker=False))
    session.subscribe(lambda event: notices.append(event.text) if event.type == "notice" else None)
    try:
        session.open()
        told = f"No model can be asked: there is no file {file.parent}/tyni.gguf; did you mean {file}?"
        assert told in notices
        with pytest.raises(APIError, match="No model can be asked"):
            session.run("hello", max_steps=1)
        session.set_model(f"gguf:{file}")
        assert session.run("hello", max_steps=1).text == ANSWER
    finally:
        session.close()


def test_doctor_looks_at_the_file_without_loading_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = model_file(Settings(model=f"gguf:{file}"))
    assert good.state == "ok"
    assert f"{file} (1 MB), a window of 8192 tokens" in good.text
    huge = write_tiny_model(tmp_path / "huge.gguf", **{"llama.block_count": 50_000_000})
    assert "does not fit into the memory" in model_file(Settings(model=f"gguf:{huge}")).text
    assert model_file(Settings(model=f"gguf:{tmp_path}/none.gguf")).state == "fail"
    assert model_file(Settings()).state == "ok"
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert [model_file(Settings(model=name)).state for name in ("gpt-4.1-mini", f"gguf:{file}")] == ["ok", "fail"]
    assert "pip install 'pygent[local]'" in model_file(Settings()).text


def test_doctor_asks_the_model_of_a_file(file: Path) -> None:
    out = io.StringIO()
    assert model_check.run(Settings(model=f"gguf:{file}", profile="full"), out, as_json=True) == 0
    told = json.loads(out.getvalue())
    assert told["model"] == f"gguf:{file}"
    assert told["calls"][1]["call"] == "stream"
    assert told["calls"][1]["outcome"] == "ok"


def test_only_whoever_has_the_key_is_answered(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # which is for the world outside
    model = GGUFModel(f"gguf:{file}")
    model.chat(HELLO, None, None)
    shared = process.shared(file)
    assert shared.address is not None
    connection = http.client.HTTPConnection("127.0.0.1", shared.address.port, timeout=5)
    body = json.dumps({"messages": HELLO}).encode()
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer guess"})
    assert connection.getresponse().status == 401
    connection.close()
    if sys.platform == "linux":
        assert shared.address.key.encode() not in Path(f"/proc/{shared.pid}/cmdline").read_bytes()
        assert shared.address.key.encode() not in Path(f"/proc/{shared.pid}/environ").read_bytes()


def test_a_process_that_dies_in_the_middle_is_started_again_once(file: Path) -> None:
    model = GGUFModel(f"gguf:{file}")
    stream = model.stream(ENDLESS, None, None)
    assert next(item for item in stream if not isinstance(item, ModelNotice)) == TextDelta(AGAIN)
    shared = process.shared(file)
    assert shared.pid is not None
    os.kill(shared.pid, signal.SIGKILL)
    told = next(item for item in stream if not isinstance(item, TextDelta))
    assert isinstance(told, Discarded)
    assert told.why.startswith("The process of tiny.gguf was ended by SIGKILL, which the system does where memory")
    assert told.why.endswith("It is started again.")
    assert next(item for item in stream if not isinstance(item, ModelNotice)) == TextDelta(AGAIN)
    os.kill(shared.pid, signal.SIGKILL)
    with pytest.raises(APIError, match="started again for this request already"):
        list(stream)
    assert model.chat(HELLO, None, None).content == ANSWER


def test_conversations_that_do_not_fit_together_take_turns(tmp_path: Path) -> None:
    model = GGUFModel(f"gguf:{write_tiny_model(tmp_path / 'small.gguf', window=512)}")
    model.preload()
    items: dict[int, list[object]] = {}

    def ask(number: int) -> None:
        messages = [{"role": "user", "content": "x" * (500 + number) + LOOP}]
        items[number] = list(model.stream(messages, None, None))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [items[number][-1].message.usage.total_tokens for number in range(3)] == [512] * 3
    assert any("take turns" in str(item) for answer in items.values() for item in answer)
    with pytest.raises(APIError, match=r"small.gguf answered with HTTP 400.*exceeds the available context size"):
        model.chat([{"role": "user", "content": "x" * 600}], None, None)


def test_an_answer_can_be_ended_and_so_can_the_loading(file: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    stream = GGUFModel(f"gguf:{file}").stream(ENDLESS, None, None, cancel=cancel)
    next(stream)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(stream)
    stuck = GGUFModel(f"gguf:{write_tiny_model(tmp_path / 'stuck.gguf')}")
    stuck.preload()
    shared = process.shared(stuck.path)
    while shared.pid is None:
        time.sleep(0.001)
    os.kill(shared.pid, signal.SIGSTOP)
    cancel = CancelToken(0.05)
    with pytest.raises(Exception, match="time limit"):
        list(stuck.stream(HELLO, None, None, cancel=cancel))
    shared.stop()
    assert shared.pid is None


OWNER = """
import os, sys, time
from pygent.models.gguf import process
from pathlib import Path
model = process.shared(Path(sys.argv[1]))
model.wait()
if sys.argv[2] == "fork" and not os.fork():
    time.sleep(60)
print(model.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["idle", "stopped", "fork"])
def test_the_process_ends_with_its_owner_however_that_ends(file: Path, how: str, tmp_path: Path) -> None:
    if how == "fork" and not hasattr(os, "pidfd_open"):
        pytest.skip("only Linux tells of the end of another process")
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the workspace was run')")
    owner = subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-c", OWNER, str(file), how],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        start_new_session=True,
    )
    try:
        assert owner.stdout is not None
        assert select.select([owner.stdout], [], [], 60)[0]
        pid = int(owner.stdout.readline())
        guard = child_of(pid)
        if how == "stopped":  # as while the binding loads, when nothing else of that process runs
            os.kill(pid, signal.SIGSTOP)
        owner.kill()
        assert gone(pid)
        assert gone(guard)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(owner.pid, signal.SIGKILL)
        owner.wait()
        owner.stdout.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gguf:", "names no file; accepted: gguf:/path/to/model.gguf"),
        ("gguf:{folder}/tyni.gguf", "there is no file {folder}/tyni.gguf; did you mean {folder}/tiny.gguf?"),
        ("gguf:{folder}", "is a folder, not a GGUF file; did you mean {folder}/tiny.gguf?"),
        ("gguf:{folder}/text.txt", "is not a GGUF file: it begins with b'Once' instead of b'GGUF'"),
        ("gguf:{folder}/none/tiny.gguf", "the folder {folder}/none is missing as well; there is {folder}"),
        ("gguf:{folder}/empty/x.gguf", "no .gguf file is in {folder}/empty"),
        ("gguf:{folder}/empty/b-00002-of-00003.gguf", "there is no file"),
    ],
)
def test_a_name_that_means_no_model_is_told_before_anything_starts(file: Path, name: str, told: str) -> None:
    (file.parent / "text.txt").write_text("Once upon a time")
    (file.parent / "empty").mkdir(exist_ok=True)
    with pytest.raises(SettingsError) as caught:
        GGUFModel(name.format(folder=file.parent))
    assert told.format(folder=file.parent) in str(caught.value)


def test_a_part_of_a_model_names_the_first_one(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "big-00002-of-00003.gguf")
    with pytest.raises(SettingsError, match=r"name the first one: .*/big-00001-of-00003.gguf"):
        GGUFModel(f"gguf:{tmp_path}/big-00002-of-00003.gguf")


def test_paths_begin_at_home_or_at_the_current_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert GGUFModel("gguf:~/tiny.gguf").path == file
    monkeypatch.chdir(file.parent.parent)
    assert GGUFModel(f"gguf:{file.parent.name}/tiny.gguf").path == file


def test_without_the_extra_its_installation_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # how Python itself marks a package that is not there
    with pytest.raises(SettingsError, match=r"pip install 'pygent\[local\]'"):
        GGUFModel(f"gguf:{file}")


def test_a_damaged_file_is_told_in_words(file: Path, tmp_path: Path) -> None:
    content = file.read_bytes()
    for size, told in ((40, "its header is damaged or cut off"), (len(content) - 5000, "tensor .* is not within")):
        cut = tmp_path / f"cut{size}.gguf"
        cut.write_bytes(content[:size])
        with pytest.raises(APIError, match=f"^{cut.name} cannot be loaded: .*{told}"):
            GGUFModel(f"gguf:{cut}").chat(HELLO, None, None)


def test_a_model_that_does_not_fit_is_not_loaded(tmp_path: Path) -> None:
    huge = write_tiny_model(tmp_path / "huge.gguf", **{"llama.block_count": 50_000_000})
    with pytest.raises(APIError, match=r"^huge.gguf does not fit into the memory: it takes about \d+\.\d GB .* free"):
        GGUFModel(f"gguf:{huge}").chat(HELLO, None, None)


def header(**values: object) -> Header:
    return Header({"general.architecture": "qwen2", **{f"qwen2.{name}": value for name, value in values.items()}})


def test_the_window_is_the_models_own_as_far_as_memory_allows() -> None:
    qwen = header(
        context_length=32768,
        block_count=28,
        embedding_length=1536,
        **{"attention.head_count": 12, "attention.head_count_kv": 2},
    )
    assert qwen.cache_bytes(32768) == 28 * 2 * 2 * 128 * 2 * 32768
    gigabyte = 10**9
    assert choose_window(qwen, gigabyte, None, None) == 32768
    assert choose_window(qwen, gigabyte, None, 2 * gigabyte) == 16384
    assert choose_window(qwen, gigabyte, 1000, 2 * gigabyte) == 1000
    with pytest.raises(TooLittleMemory, match=r"about 2.3 GB of memory with a window of 32768 tokens, and 2.0 GB"):
        choose_window(qwen, gigabyte, 32768, 2 * gigabyte)
    with pytest.raises(TooLittleMemory, match=r"a window of 4096 tokens, and 1.0 GB are free$"):
        choose_window(qwen, gigabyte, None, gigabyte)
    assert choose_window(header(context_length=131072), 1, None, None) == 32768
    assert choose_window(header(), 1, None, None) == 4096


def test_layers_may_have_different_numbers_of_heads() -> None:
    mixed = header(
        **{"block_count": 3, "embedding_length": 64, "attention.head_count": [8, 8, 8]},
        **{"attention.head_count_kv": [8, 0, 2], "attention.key_length": 16, "attention.value_length": 32},
    )
    assert mixed.cache_bytes(10) == 10 * (8 + 0 + 2) * (16 + 32) * 2


def test_a_header_is_read_without_its_words(file: Path) -> None:
    values = read(file).values
    assert values["llama.context_length"] == 8192
    assert values["general.name"] == "tiny"
    assert "tokenizer.ggml.tokens" not in values
    assert read(file).parameters == 2 * 263 * 32 + 3 * 32 + 7 * 32 * 32

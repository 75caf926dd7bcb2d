"""The tools that read, change and search files, on a real workspace."""

import pytest

from pygent.errors import Cancelled, ToolError, WorkspaceError
from tests.fakes.desk import Desk, use


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


# -- read_file


def test_read_file_numbers_lines_and_says_how_many_there_are(desk):
    desk.put("a.py", "one\ntwo\nthree\n")
    assert use("read_file", desk, path="a.py") == "a.py: lines 1-3 of 3\n1\tone\n2\ttwo\n3\tthree"
    assert use("read_file", desk, path="a.py", start=2, limit=1) == (
        "a.py: lines 2-2 of 3\n2\ttwo\n… 1 more lines; go on with start=3"
    )
    with pytest.raises(ToolError, match="has 3 lines; there is no line 4"):
        use("read_file", desk, path="a.py", start=4)
    desk.put("empty", "")
    assert use("read_file", desk, path="empty") == "empty: empty file"


@pytest.mark.hostile(7)
def test_read_file_names_what_is_special(desk):
    desk.put("crlf", b"\xef\xbb\xbfa\r\nb\r\n")
    assert use("read_file", desk, path="crlf") == "crlf: lines 1-2 of 2 [byte order mark, CRLF line ends]\n1\ta\n2\tb"
    desk.put("latin", b"caf\xe9\n")
    assert use("read_file", desk, path="latin").startswith(
        "latin: lines 1-1 of 1 [not UTF-8 (byte 0xe9 at offset 3)]"
    )
    desk.put("wide", "h\u00e9\n".encode("utf-16"))
    assert use("read_file", desk, path="wide") == "wide: lines 1-1 of 1 [UTF-16]\n1\th\u00e9"
    desk.put("big-endian", b"\xfe\xff" + "h\u00e9\n".encode("utf-16-be"))
    assert use("read_file", desk, path="big-endian").endswith("1\th\u00e9")
    desk.put("bin", b"\x7fELF\0\0")
    with pytest.raises(ToolError, match="binary file of 6 bytes"):
        use("read_file", desk, path="bin")


def test_read_file_is_bounded(desk):
    desk.put("long", "x" * 5000 + "\nshort\n")
    text = use("read_file", desk, path="long")
    assert "… (4000 more characters)" in text
    assert text.endswith("2\tshort")
    desk.put("many", "".join(f"line {n}\n" for n in range(10000)))
    text = use("read_file", desk, path="many", limit=10000)
    assert len(text) < 32000
    shown = int(text.split("lines 1-")[1].split(" ")[0])
    assert text.endswith(f"… {10000 - shown} more lines; go on with start={shown + 1}")
    assert use("read_file", desk, path="many").startswith("many: lines 1-500 of 10000")


def test_read_file_lists_a_folder_and_names_the_nearest_file(desk):
    desk.put("src/main.py", "")
    desk.put("src/sub/x", "")
    assert use("read_file", desk, path="src") == "src is a folder of 2 entries:\nmain.py\nsub/"
    with pytest.raises(WorkspaceError, match=r"src/main\.py"):
        use("read_file", desk, path="src/mian.py")
    with pytest.raises(WorkspaceError, match="outside"):
        use("read_file", desk, path="../x")


def test_download_file_uses_the_runtime(desk):
    desk.put("a", "raw\n")
    assert use("download_file", desk, path="a") == "raw\n"
    assert use("download_file", desk, path="a", binary=True) == "base64"


# -- edit_file


def test_edit_file_replaces_and_answers_the_diff(desk):
    desk.put("a.py", "".join(f"line {n}\n" for n in range(1, 21)))
    answer = use("edit_file", desk, path="a.py", old="line 10\n", new="line ten\nand more\n")
    assert answer.splitlines() == [
        "Edited a.py.", "@@ -7,7 +7,8 @@", " line 7", " line 8", " line 9", "-line 10", "+line ten", "+and more",
        " line 11", " line 12", " line 13",
    ]  # fmt: skip
    assert desk.get("a.py").decode().count("\n") == 21


def test_edit_file_says_how_often_and_where(desk):
    desk.put("a", "x = 1\ny = 2\nx = 1\n")
    with pytest.raises(ToolError, match=r"occurs 2 times in a \(lines 1, 3\).*replace_all"):
        use("edit_file", desk, path="a", old="x = 1", new="x = 2")
    answer = use("edit_file", desk, path="a", old="x = 1", new="x = 2", replace_all=True)
    assert answer.startswith("Edited a in 2 places.")
    assert desk.get("a") == b"x = 2\ny = 2\nx = 2\n"


def test_edit_file_shows_the_nearest_text(desk):
    desk.put("a.py", "def f():\n    return 1\n\n\ndef g(value):\n        return value + 2\n")
    with pytest.raises(ToolError) as caught:
        use("edit_file", desk, path="a.py", old="def g(value):\n    return value + 2", new="x")
    assert (
        "nearest is at line 5; it differs in blanks or indentation only:\n5\tdef g(value):\n6\t        return"
        in str(caught.value)
    )
    with pytest.raises(ToolError, match=r"nearest is at line 6:\n6\t        return value \+ 2"):
        use("edit_file", desk, path="a.py", old="return value + 3", new="x")
    with pytest.raises(ToolError, match="nor anything near it"):
        use("edit_file", desk, path="a.py", old="something else entirely", new="x")
    with pytest.raises(ToolError, match="leave out the line numbers"):
        use("edit_file", desk, path="a.py", old="1\tdef f():\n2\t    return 1", new="x")


@pytest.mark.parametrize(
    ("file", "old", "new", "after", "says"),
    [
        ("if a:\n    x = 1\n    y = 2\n", "x = 1\ny = 2", "x = 3\nif x:\n    y = 4",
         "if a:\n    x = 3\n    if x:\n        y = 4\n", "indentation (4 blanks more)"),
        ("a = 1\nif a:\n    b = 2\n", "    a = 1\n    if a:\n        b = 2\n",
         "    a = 2\n    if a:\n        b = 3\n", "a = 2\nif a:\n    b = 3\n", "indentation (4 blanks less)"),
        ("x = 1   \ny = 2\t\nz\n", "x = 1\ny = 2\n", "x = 5\n", "x = 5\nz\n", "blanks at the end of lines"),
        ("\tx = 1\n\ty = 2\n", "x = 1\ny = 2", "x = 2", "\tx = 2\n", "indentation (1 tab more)"),
        ("a\n\nb  \nc", "a\n\nb\nc\n", "d\n\ne\n", "d\n\ne", "blanks at the end of lines"),
        ("a\n  b \nc\n", "b\n", "", "a\nc\n", "indentation (2 blanks more)"),
        ("a\r\n  b \r\nc\r\n", "b\n", "x\ny\n", "a\r\n  x\r\n  y\r\nc\r\n", "indentation (2 blanks more)"),
    ],
)  # fmt: skip
def test_edit_file_takes_a_text_that_differs_in_blanks_only_and_says_so(desk, file, old, new, after, says):
    desk.put("a", file)
    answer = use("edit_file", desk, path="a", old=old, new=new)
    assert answer.startswith(f"Edited a. What stands there differs from old in {says}; new was fitted.\n@@")
    assert desk.get("a").decode() == after


def test_edit_file_does_not_guess_between_places_that_differ_in_blanks(desk):
    desk.put("a", "if a:\n    x = 1 \nif b:\n    x = 1 \n")
    before = desk.get("a")
    with pytest.raises(ToolError, match=r"2 places differ from it in blanks only \(lines 2, 4\)"):
        use("edit_file", desk, path="a", old="  x = 1\n", new="  x = 2\n")
    desk.put("b", "  a\n      b\n")
    with pytest.raises(ToolError, match="differs in blanks or indentation only"):
        use("edit_file", desk, path="b", old="a\n  b", new="c")
    assert desk.get("a") == before


@pytest.mark.hostile(7)
def test_edit_file_keeps_line_ends_and_the_byte_order_mark(desk):
    desk.put("a", b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\n")
    use("edit_file", desk, path="a", old="one\ntwo", new="1\n2\n2b")
    use("edit_file", desk, path="a", old="three", new="3\n4")
    assert desk.get("a") == b"\xef\xbb\xbf1\r\n2\r\n2b\r\n3\r\n4\r\n"
    desk.put("mixed", b"a\r\nb\nc")
    assert "(no line end)" in use("edit_file", desk, path="mixed", old="c", new="d")
    assert desk.get("mixed") == b"a\r\nb\nd"


@pytest.mark.hostile(7)
def test_edit_file_refuses_what_would_lose_something(desk):
    desk.put("latin", b"caf\xe9")
    with pytest.raises(ToolError, match="not UTF-8"):
        use("edit_file", desk, path="latin", old="caf", new="x")
    assert desk.get("latin") == b"caf\xe9"
    desk.put("a", "x")
    for old, new, says in (("", "y", "use write_file"), ("x", "x", "the same")):
        with pytest.raises(ToolError, match=says):
            use("edit_file", desk, path="a", old=old, new=new)
    with pytest.raises(WorkspaceError):
        use("edit_file", desk, path="../a", old="x", new="y")


def test_a_large_edit_answers_a_bounded_diff(desk):
    desk.put("a", "x\n" * 3000)
    assert "more lines" in use("edit_file", desk, path="a", old="x", new="y", replace_all=True)
    desk.put("b", "x\n" * 200_000)
    assert "too many to show" in use("edit_file", desk, path="b", old="x", new="y", replace_all=True)


# -- search


def test_search_finds_lines_and_names(desk):
    desk.put("a.py", "import os\nprint(os.name)\n")
    desk.put("src/b.py", "import sys\n")
    desk.put("src/c.txt", "import nothing\n")
    assert (
        use("search", desk, pattern="import")
        == "a.py:1: import os\nsrc/b.py:1: import sys\nsrc/c.txt:1: import nothing"
    )
    assert use("search", desk, pattern=r"^import (os|sys)$", glob="*.py").count("\n") == 1
    assert use("search", desk, pattern="import", path="src", glob="src/**/*.py") == "src/b.py:1: import sys"
    assert use("search", desk, pattern="import", glob="*.{txt,md}") == "src/c.txt:1: import nothing"
    assert use("search", desk, pattern="os", path="a.py").count("a.py:") == 2
    assert use("search", desk, pattern="B.PY", mode="names") == "src/b.py"
    assert use("search", desk, pattern="*.py", mode="names") == "a.py\nsrc/b.py"
    assert use("search", desk, pattern="nowhere") == "Nothing found for 'nowhere' in 3 files."


def test_search_honours_gitignore_nested_too(desk):
    desk.put(".gitignore", "*.log\n/build/\n!keep.log\n# comment\n\n[bad\n")
    desk.put("sub/.gitignore", "secret.txt\n!special.log\n")
    for path in ("a.log", "keep.log", "build/x", "sub/build/x", "sub/secret.txt", "secret.txt", "sub/special.log",
                 ".git/config", "node_modules/m/x"):  # fmt: skip
        desk.put(path, "needle\n")
    found = {line.split(":")[0] for line in use("search", desk, pattern="needle").splitlines()}
    assert found == {"keep.log", "sub/build/x", "secret.txt", "sub/special.log"}
    assert use("search", desk, pattern="needle", path="build") == "build/x:1: needle"


def test_search_is_bounded_and_skips_what_is_no_text(desk):
    desk.put("many", "hit\n" * 5000)
    desk.put("bin", b"hit\0\n")
    desk.put("z/huge", b"hit\n" * 700_000)
    lines = use("search", desk, pattern="hit").splitlines()
    assert len(lines) == 101
    assert "only the first 100" in lines[-1]
    assert "large or unreadable" in use("search", desk, pattern="nothing")
    desk.put("wide", "x" * 50 + "needle" + "y" * 5000)
    assert len(use("search", desk, pattern="needle")) < 400


@pytest.mark.hostile(3)
def test_search_never_leaves_the_workspace(desk, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("needle")
    (desk.workspace.root / "out").symlink_to(outside)
    (desk.workspace.root / "file").symlink_to(outside / "secret")
    (desk.workspace.root / "loop").symlink_to(".")
    desk.put("in", "needle")
    assert use("search", desk, pattern="needle").splitlines()[0] == "in:1: needle"
    assert "secret" not in use("search", desk, pattern="needle")
    for path in ("..", "/etc", "out"):
        with pytest.raises(WorkspaceError):
            use("search", desk, pattern="root", path=path)


def test_search_patterns_that_are_no_regular_expression(desk):
    desk.put("a", "f(x\n")
    assert use("search", desk, pattern="f(x").startswith("a:1: f(x\n(taken as plain text")
    desk.put("b", "a" * 40 + "!")
    for pattern in ("(a+)+$", "((a*)b?)*$", "(?:x|(a+))*y"):
        with pytest.raises(ToolError, match="repeats a repetition"):
            use("search", desk, pattern=pattern)
    for pattern in (r"(a+)b", r"(ab)+", r"[(+]+x", r"\(a+\)+", "(foo|bar)+ *"):
        assert use("search", desk, pattern=pattern).startswith(("Nothing", "a:", "b:"))
    with pytest.raises(ToolError, match="empty"):
        use("search", desk, pattern="")


def test_search_can_be_cancelled(desk):
    desk.put("a", "x\n" * 1000)
    desk.scope.cancel.cancel()
    with pytest.raises(Cancelled):
        use("search", desk, pattern="y")


# -- a wrong path names the nearest


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("src/mian.py", "'src/app/main.py'"),
        ("src/app/mian.py", "'src/app/main.py'"),
        ("main.py", "'src/app/main.py'"),
        ("lib/main.py", "'src/app/main.py'"),
        ("SRC/App/Main.py", "'src/app/main.py'"),
        ("src/app/main.js", "'src/app/main.py'"),
        ("app/main.py", "'src/app/main.py'"),
        ("README", "'README.md'"),
        ("readme.md", "'README.md'"),
        ("project/README.md", "'README.md'"),
        ("source/app/main.py", "'src/app/main.py'"),
        ("src/ap", "'src/app'"),
        ("src/app/other.py", "The folder 'src/app' has: main.py"),
        ("zzz", "The workspace has: README.md, src"),
    ],
)
def test_a_path_that_is_not_there_names_the_nearest(desk, path, near):
    desk.put("src/app/main.py", "x")
    desk.put("README.md", "x")
    desk.put("node_modules/app/main.py", "x")
    for tool, arguments in (("read_file", {}), ("edit_file", {"old": "a", "new": "b"}), ("search", {"pattern": "x"})):
        with pytest.raises(WorkspaceError) as caught:
            use(tool, desk, path=path, **arguments)
        assert near in str(caught.value)
        assert "node_modules/" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/home/user/project/src/app/main.py", "'src/app/main.py' would be a path in it"),
        ("/app/README.md", "'README.md' would be a path in it"),
        ("/home/user/hello.py", "'hello.py' would be a path in it"),
        ("../src/app/main.py", "'src/app/main.py' would be a path in it"),
        ("/", "the workspace is"),
    ],
)
def test_a_path_outside_names_what_may_be_meant_inside(desk, path, near):
    desk.put("src/app/main.py", "x")
    desk.put("README.md", "x")
    with pytest.raises(WorkspaceError) as caught:
        use("write_file", desk, path=path, content="x")
    assert near in str(caught.value)


def test_the_workspace_s_own_name_before_a_path_is_seen(desk):
    desk.put("main.py", "x")
    with pytest.raises(WorkspaceError, match=r"Did you mean 'main\.py'\?"):
        use("read_file", desk, path=f"{desk.workspace.root.name}/main.py")

"""Where the person writes. Its height follows the text; what was sent before comes back with Up."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from pygent.tui import enter_keys
from pygent.tui.draft import Draft, is_long, lightened
from pygent.tui.keys import key_of
from pygent.tui.recall import Recall
from pygent.tui.widgets.prompt_frame import PromptFrame


class Prompt(PromptFrame):
    """A text area that sends with Enter. Messages say what it asks for; the screen does it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "submit", "Send; while the agent works, queue; empty, steer with the queue", id="prompt.send"
        ),
        Binding("shift+enter,ctrl+j,alt+enter", "newline", "New line", id="prompt.newline"),
        Binding("ctrl+g", "ask('edit')", "Edit the prompt in $EDITOR", id="prompt.editor", priority=True),
        Binding("tab", "complete", "Take the completion", id="prompt.complete", show=False),
        Binding("ctrl+r", "ask('search_history')", "Search the prompt history", id="prompt.search-history"),
        Binding("ctrl+o", "expand", "Show a folded paste whole", id="prompt.expand"),
        Binding("alt+v", "ask('paste_image')", "Paste an image from the clipboard", id="prompt.paste-image"),
        Binding("ctrl+underscore,ctrl+shift+minus", "undo", "Undo what was typed", id="prompt.undo"),
        Binding("alt+q", "ask('choose_queued')", "Choose among the queued prompts", id="prompt.queue"),
        Binding("pageup", "screen.scroll_conversation(-1)", "Conversation up", id="prompt.page-up", show=False),
        Binding("pagedown", "screen.scroll_conversation(1)", "Conversation down", id="prompt.page-down", show=False),
    ]

    _typed_bindings: ClassVar[tuple[Binding, ...]] = tuple(
        binding for binding in BINDINGS if isinstance(binding, Binding) and binding.action in ("submit", "newline")
    )

    class Submitted(Message):
        """Enter was pressed on a text that is not blank."""

        def __init__(self, draft: Draft) -> None:
            self.draft = draft
            super().__init__()

    class Edited(Message):
        """The text changed."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Asked(Message):
        """What the screen shall do: ``edit``, ``search_history``, ``paste_image``, or something with the queue."""

        def __init__(self, what: str) -> None:
            self.what = what
            super().__init__()

    class CompletionKey(Message):
        """A key for the list of completions: ``up``, ``down`` or ``take``."""

        def __init__(self, key: str) -> None:
            self.key = key
            super().__init__()

    class FilesPasted(Message):
        """What was pasted may be paths of images; it is not inserted yet."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            compact=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Ask for something, / for commands",
        )
        self.completing = False
        self.complete_with_enter: Callable[[], bool] = lambda: False
        """Asked at once: a message would come after what is typed behind Enter. True where it did what Enter asks."""
        self.take_back: Callable[[], Draft | None] = lambda: None
        """Asked for Up in an empty prompt: a queued prompt, taken out of the queue."""
        self.recall = Recall()

    def on_mount(self) -> None:
        enter_keys.know()
        enter, newline = key_of(self.app, "prompt.send", "enter"), key_of(self.app, "prompt.newline", "shift+enter")
        self.hint(f"{enter} sends · {newline} new line", sends=True)

    def set_text(self, text: str) -> None:
        """Replace the text; the cursor goes to its end."""
        self.set_draft(Draft(text))

    async def _on_key(self, event: events.Key) -> None:
        """Send or break the line where the key stands among what was typed.

        A priority binding would overtake the keys typed just before it, and the text area takes Enter for itself.
        """
        key = enter_keys.SPELLED.get(event.key, event.key)
        for binding in self._typed_bindings:
            if key in self._keys_of(binding):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return

    def _keys_of(self, binding: Binding) -> list[str]:
        keys = self.app._keymap.get(binding.id or "", binding.key)  # noqa: SLF001 - there is no public way to read it
        return [key.strip() for key in keys.split(",")]

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if may_be_images(text) and not self.searching:
            self.post_message(self.FilesPasted(text))
        else:
            self.put(text)

    def put(self, text: str) -> None:
        """Insert a text in the place of the selection; a long one as a label that stands for it."""
        if is_long(text) and not self.searching:
            self.add_paste(text)
        else:
            result = self.replace(text, *self.selection, maintain_selection_offset=False)
            self.move_cursor(result.end_location)

    def action_submit(self) -> None:
        row, column = self.cursor_location
        if column and self.document.get_line(row)[column - 1 :] == "\\" and not self.searching:
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
        elif not self.complete_with_enter():
            self.send()

    def send(self) -> None:
        """Hand the text over and begin a new one."""
        draft = self.draft()
        if not draft.text.strip():
            self.action_ask("send_queued")
            return
        self.recall.remember(draft.light())
        self.clear()
        self.chips = {label: lightened(chip) for label, chip in self.chips.items()}
        self.post_message(self.Submitted(draft))

    def action_ask(self, what: str) -> None:
        self.post_message(self.Asked(what))

    def action_newline(self) -> None:
        self.put("\n")

    def action_paste(self) -> None:
        """What was copied in Pygent; where nothing was, perhaps the clipboard holds an image."""
        if self.app.clipboard:
            super().action_paste()
        else:
            self.action_ask("paste_image")

    def action_expand(self) -> None:
        if not self.expand_paste():
            self.notify("There is no folded paste in the prompt.", timeout=3)

    def action_complete(self) -> None:
        self.post_message(self.CompletionKey("take"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete" and not self.completing:
            return False
        return super().check_action(action, parameters)

    def action_cursor_up(self, select: bool = False) -> None:
        if self.completing:
            self.post_message(self.CompletionKey("up"))
        elif not select and self._browses():
            queued = self.take_back() if self.recall.brought is None else None
            if queued is not None:
                self.set_draft(queued)
            else:
                self._bring(-1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.completing:
            self.post_message(self.CompletionKey("down"))
        elif not select and self.recall.brought is not None and self._browses():
            self._bring(1)
        else:
            super().action_cursor_down(select)

    def _browses(self) -> bool:
        """Whether Up and Down go through what was sent: in an empty prompt, and at the end of what they brought."""
        if self.searching:
            return False
        if not self.text:
            self.recall.leave()
            return True
        return self.text == self.recall.brought and self.cursor_location == self.document.end

    def _bring(self, step: int) -> None:
        draft = self.recall.step(step)
        if draft is not None:
            self.set_draft(draft)
            self.recall.brought = self.text or None

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.frame()
        self.post_message(self.Edited(self.text))


def may_be_images(text: str) -> bool:
    """Whether a pasted text looks like paths of image files, as terminals paste what is dropped on them."""
    text = text.strip()
    return (
        text.startswith(("/", "~/", "file://", "'/", '"/'))
        and text.rstrip("'\" ").lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp"))
        and len(text) < 10_000
    )

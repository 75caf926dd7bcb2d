"""Having an image: look, and pull what is missing, visibly and so that it can be stopped."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from pygent.errors import SandboxUnavailable

SILENCE = 120.0
"""Seconds without any news after which a pull counts as hung."""

NEWS_EVERY = 0.5


def have_image(
    api: Any, image: str, *, on_progress: Callable[[str], None] | None, check: Callable[[], object]
) -> dict[str, Any]:
    """The engine's description of ``image``, pulled first where it is missing.

    Raises ``SandboxUnavailable`` where it cannot be had. ``check`` is called often and raises
    where the pull is to be given up.
    """
    from docker.errors import APIError, ImageNotFound  # noqa: PLC0415

    with contextlib.suppress(ImageNotFound):
        return dict(api.inspect_image(image))
    _pull(api, image, on_progress or (lambda _: None), check)
    try:
        return dict(api.inspect_image(image))
    except APIError as error:
        raise _unavailable(image, str(error)) from error


def _pull(api: Any, image: str, on_progress: Callable[[str], None], check: Callable[[], object]) -> None:
    """Pull in a thread of its own, because the engine may say nothing for minutes."""
    on_progress(f"Pulling the image {image} …")
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    ended = threading.Event()
    puller = threading.Thread(target=_follow, args=(api, image, news, ended), name="pygent-pull", daemon=True)
    puller.start()
    try:
        _watch(image, news, on_progress, check)
    finally:
        ended.set()
    puller.join()
    on_progress(f"Pulled the image {image}")


def _watch(
    image: str, news: queue.SimpleQueue[Any], on_progress: Callable[[str], None], check: Callable[[], object]
) -> None:
    progress = Progress(image)
    heard = told = time.monotonic()
    while True:
        check()
        try:
            item = news.get(timeout=0.05)
        except queue.Empty:
            if time.monotonic() - heard > SILENCE:
                raise _unavailable(image, f"the engine reported nothing for {SILENCE:.0f} s") from None
            continue
        heard = time.monotonic()
        if item is None:
            return
        if isinstance(item, BaseException):
            raise _unavailable(image, str(item)) from item
        if "error" in item:
            raise _unavailable(image, str(item["error"]))
        if progress.add(item) and heard - told >= NEWS_EVERY:
            told = heard
            on_progress(progress.text())


def _follow(api: Any, image: str, news: queue.SimpleQueue[Any], ended: threading.Event) -> None:
    name, tag = split_name(image)
    try:
        reports = api.pull(name, tag=tag, stream=True, decode=True)
        with contextlib.closing(reports):  # closing the answer early makes the engine stop as well
            for item in reports:
                news.put(item)
                if ended.is_set():
                    return
        news.put(None)
    except Exception as error:  # told to whoever waits for the pull
        news.put(error)


def split_name(image: str) -> tuple[str, str | None]:
    """Name and tag of ``image``; a digest stays part of the name, and no tag means ``latest``."""
    if "@" in image:
        return image, None
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return image, "latest"
    return name, tag


class Progress:
    """The layers of a pull, summed up in a line."""

    def __init__(self, image: str) -> None:
        self._image = image
        self._layers: dict[str, tuple[int, int]] = {}

    def add(self, item: dict[str, Any]) -> bool:
        """Take one report of the engine. Answers whether it changed the sum."""
        detail = item.get("progressDetail") or {}
        if item.get("status") != "Downloading" or not detail.get("total"):
            return False
        self._layers[str(item.get("id"))] = (int(detail.get("current", 0)), int(detail["total"]))
        return True

    def text(self) -> str:
        current = sum(current for current, _ in self._layers.values())
        total = sum(total for _, total in self._layers.values())
        return f"Pulling the image {self._image}: {current / 1e6:.0f} of {total / 1e6:.0f} MB"


def _unavailable(image: str, reason: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"The image {image} is not on this machine and cannot be pulled: {reason}. Pull or build it yourself "
        f"(docker pull {image}), or name another: --image NAME (PYGENT_IMAGE)."
    )

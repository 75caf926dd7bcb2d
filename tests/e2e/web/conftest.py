"""One Chromium for all of these tests, and a home for the servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.browser import Browser, NoBrowser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        browser = Browser()
    except NoBrowser as error:
        if os.environ.get("PYGENT_REQUIRE_BROWSER") == "1":
            pytest.fail(f"PYGENT_REQUIRE_BROWSER=1, but {error}")
        pytest.skip(str(error))
    with browser:
        yield browser


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens tabs; the ones that a test leaves open are closed, and the browser then knows no server any more."""
    pages: list[Page] = []

    def show(url: str) -> Page:
        pages.append(browser.open(url))
        return pages[-1]

    yield show
    for page in pages:
        page.close()
    browser.call("Storage.clearCookies")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "work").mkdir()
    names = ("PATH", "LANG", "DOCKER_HOST", "PYTHONPATH", "PYGENT_LOCAL_SANDBOX")
    keep = {name: value for name, value in os.environ.items() if name in names}
    return {**keep, "HOME": str(tmp_path), "PYGENT_USE_DOCKER": "0", "OPENAI_API_KEY": "test-key", "TERM": "dumb"}

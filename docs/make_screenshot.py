"""Draw docs/screenshot.svg: the demo, as the application itself shows it. Takes the name of a theme."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from pygent.models.demo import PROMPT, DemoModel
from pygent.session import Session
from pygent.settings import Settings
from pygent.tui.app import PygentApp

TARGET = Path(__file__).parent / "screenshot.svg"
SIZE = (140, 42)


async def _draw(theme: str) -> str:
    session = Session(Settings(theme=theme), demo=True, model=DemoModel(pace=0.01))
    app = PygentApp(session, initial_prompt=PROMPT)
    async with app.run_test(size=SIZE) as pilot:
        while not app.main.transcript.main.items or app.main.transcript.main.running:
            await pilot.pause(0.1)
        await pilot.pause(0.5)
        drawn = app.export_screenshot(title="pygent --demo")
        session.close()
    # The drawing asks for a font from the net; every reader has one of its own.
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


if __name__ == "__main__":
    TARGET.write_text(asyncio.run(_draw(*(sys.argv[1:2] or ["pygent-dark"]))), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")

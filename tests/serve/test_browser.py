"""The page in a real browser: it shows the verdict, and a save changes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.color import Color

from tests.projects import Project
from tests.serve.browser import CHROMIUM, ENOUGH_PIXELS, browser
from tests.serve.conftest import Served
from workbench.tui.themes import load_theme


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
async def test_the_page_shows_the_verdict_and_a_save_changes_it(
    project: Project, serve: Callable[..., Served], tmp_path: Path
) -> None:
    theme = load_theme("dark")
    green, red = (Color.parse(name or "").rgb for name in (theme.success, theme.error))
    served = serve("kernels/scale.c", "--device", "model", "--theme", "dark")
    async with browser(tmp_path / "profile") as page:
        await page.open(served.address)
        await page.received("PASS", "no problems")
        await page.shows(green)
        assert await page.pixels(red) < ENOUGH_PIXELS

        project.edit(project.kernel, "in[i] * factor", "in[i] * factor + 1")
        await page.received("FAIL", "not met")
        await page.shows(red)

        await page.press("?")
        await page.received("needed first")
        await page.press("q")
        project.edit(project.kernel, "in[i] * factor + 1", "in[i] * factor")
        await page.received("PASS")

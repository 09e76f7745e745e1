from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.tui.scripted import KERNEL, App

Open = Callable[..., AbstractAsyncContextManager[tuple[App, Pilot[None]]]]


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLUMNS", "LINES", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def open_app() -> Open:
    """The app at a size, with its scripted engine watching."""

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (120, 34), kernel: str = KERNEL
    ) -> AsyncIterator[tuple[App, Pilot[None]]]:
        app = App(kernel)
        async with app.run_test(size=size) as pilot:
            while app.engine is None:
                await pilot.pause()
            await app.engine.watching.wait()
            yield app, pilot

    return opened

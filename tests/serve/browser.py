"""A headless Chromium, told what to do over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.serve.conftest import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 60
ENOUGH_PIXELS = 600
"""Of a word's ground; a legend's block of the same colour has far fewer."""

_KEEP_WHAT_COMES = """
window.received = "";
window.WebSocket = class extends WebSocket {
    constructor(...given) {
        super(...given);
        const text = new TextDecoder();
        this.addEventListener("message", async ({ data }) => {
            const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
            window.received += typeof bytes == "string" ? bytes : text.decode(bytes);
        });
    }
};
"""

_PIXELS = """
(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,%s";
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    const wanted = %s;
    let count = 0;
    for (let at = 0; at < bytes.length; at += 4) {
        count += wanted.every((value, n) => Math.abs(bytes[at + n] - value) <= 2);
    }
    return count;
})()
"""


class Page:
    """A page that is open: what it was sent, what it shows, keys for it."""

    def __init__(self, line: ClientWebSocketResponse) -> None:
        self._line = line
        self._last = 0

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Carry out a command of the protocol."""
        self._last += 1
        await self._line.send_json({"id": self._last, "method": method, "params": parameters})
        async for message in self._line:
            if message.type is WSMsgType.TEXT:
                answer = json.loads(message.data)
                if answer.get("id") == self._last:
                    assert "error" not in answer, answer["error"]
                    result: dict[str, Any] = answer["result"]
                    return result
        raise AssertionError("the browser is gone")

    async def evaluate(self, script: str) -> Any:
        """What a script in the page comes to."""
        answer = await self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        """Go to a page, and keep what its web socket receives."""
        await self.send("Page.enable")
        await self.send("Page.addScriptToEvaluateOnNewDocument", source=_KEEP_WHAT_COMES)
        await self.send("Page.navigate", url=address)

    async def received(self, *texts: str) -> None:
        """Wait until the page has received these texts, in this order, since it was asked last."""
        script = f"""new Promise((done, fail) => {{
            const texts = {json.dumps(texts)};
            const end = Date.now() + {SECONDS * 500};
            const look = () => {{
                let at = 0;
                for (const text of texts) {{
                    at = at < 0 ? at : window.received.indexOf(text, at);
                    at += at < 0 ? 0 : text.length;
                }}
                if (at >= 0) {{
                    window.received = window.received.slice(at);
                    done();
                }} else if (Date.now() > end) {{
                    fail(new Error("not received: " + texts + " in " + window.received));
                }} else {{
                    setTimeout(look, 20);
                }}
            }};
            look();
        }})"""
        await self.evaluate(script)

    async def press(self, key: str) -> None:
        """Press a key that types itself; the page gets it as one that was clicked into."""
        await self.evaluate("document.querySelector('textarea').focus()")
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, **text)

    async def screenshot(self) -> bytes:
        """What is seen, as a PNG."""
        answer = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def pixels(self, color: tuple[int, int, int]) -> int:
        """How many of the pixels that are seen have a colour."""
        png = base64.b64encode(await self.screenshot()).decode()
        count: int = await self.evaluate(_PIXELS % (png, list(color)))
        return count

    async def shows(self, color: tuple[int, int, int]) -> None:
        """Wait until as much of a colour is seen as a word on it takes; it is faded in."""

        async def seen() -> bool:
            return await self.pixels(color) >= ENOUGH_PIXELS

        await until(seen)


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """An empty page of a Chromium of our own, which is gone afterwards."""
    assert CHROMIUM is not None
    chromium = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",  # root has none; all it sees is a page of ours
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--window-size=1400,900",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(SECONDS), ClientSession() as session:
            port = await _port(profile / "DevToolsActivePort")
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                (target,) = [t for t in await answer.json() if t["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as line:
                yield Page(line)
    finally:
        os.killpg(chromium.pid, signal.SIGKILL)
        await chromium.wait()


async def _port(file: Path) -> int:
    def said() -> list[str]:
        return file.read_text().splitlines() if file.exists() else []

    async def written() -> bool:
        return len(said()) > 1

    await until(written)
    return int(said()[0])

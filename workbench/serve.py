"""`npu-workbench serve`: the workbench in a browser, by textual-serve. Each page is one of its own.

Nobody is asked who they are. So it listens where only this machine can reach it unless told
otherwise, and a browser is answered only on its own page: any other page that is open in it could
else work here too.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from workbench.errors import ExitCode, UsageError

CLOSE_LIMIT_S = 5.0
"""Longest wait for pages to close, and for the workbenches that they show to end."""

POLICY = (
    "default-src 'self' 'unsafe-inline'; connect-src 'self' ws://{host} wss://{host}; "
    "img-src 'self' data:; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: it fetches nothing from elsewhere, and nobody frames it."""


def serve(arguments: Sequence[str], *, host: str, port: int, allow_remote: bool) -> int:
    """Serve the workbench until interrupted; each page is started with these arguments.

    Prints the page's address once it is there; port 0 takes any that is free. Raises UsageError for
    a host that other machines reach, unless they are allowed to, and for an address that can't be
    listened on.
    """
    if not allow_remote and not is_loopback(host):
        raise UsageError(
            f"--host {host} would let other machines in, and nothing asks who is there: whoever "
            "reaches the port reads your sources and works as you",
            hint=f"over ssh, `ssh -L {port}:127.0.0.1:{port}` brings the page to you alone; "
            "--allow-remote does it all the same",
        )
    logging.basicConfig(level=logging.WARNING, format="npu-workbench: %(message)s")
    try:
        asyncio.run(Pages(arguments, host, port, allow_remote=allow_remote).run())
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UsageError(
            f"can't listen on {_address(host, port)}: {why}", hint="--port takes another"
        ) from error
    return ExitCode.PASS


def is_loopback(host: str) -> bool:
    """Whether a name or an address means this machine and is reached by it alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Pages(Server):
    """textual-serve's server, with a door: see the module."""

    def __init__(
        self, arguments: Sequence[str], host: str, port: int, *, allow_remote: bool
    ) -> None:
        command = [sys.executable, "-P", "-m", "workbench.cli", *arguments]
        super().__init__(f"exec {shlex.join(command)}", host, port, title="npu-workbench")
        self._allow_remote = allow_remote
        self._open: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Serve until a signal asks to stop. Raises OSError where it can't be listened."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, stop.set)
        runner = web.AppRunner(await self._make_app(), shutdown_timeout=CLOSE_LIMIT_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            for host, port, *_ in runner.addresses:
                print(f"http://{_address(host, port)}", flush=True)
            print("npu-workbench: serving there until ctrl+c", file=sys.stderr, flush=True)
            await stop.wait()
        finally:
            await runner.cleanup()

    async def on_startup(self, app: web.Application) -> None:
        """Nothing to say yet."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close the pages that are open, and with them what they run."""
        for page in self._open:
            page.cancel()

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, whose parts are asked for where it was itself: a port may be forwarded."""
        self._check(request)
        self.public_url = f"{request.scheme}://{request.host}"
        response: web.StreamResponse = await super().handle_index(request)
        response.headers["Content-Security-Policy"] = POLICY.format(host=request.host)
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """The page's line to a workbench of its own."""
        self._check(request)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            return await super().handle_websocket(request)
        finally:
            self._open.discard(task)

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """A file that a workbench hands to its page."""
        self._check(request)
        return await super().handle_download(request)

    def _check(self, request: web.Request) -> None:
        """Refuse a page of another site, also one whose name was made to mean this machine."""
        try:
            host = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            host = request.host
        origin = request.headers.get("Origin")
        if not (self._allow_remote or is_loopback(host)):
            raise web.HTTPForbidden(text=f"{host} is no name of this machine\n")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text=f"not for pages of {origin}\n")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

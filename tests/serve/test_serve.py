"""`serve`: who gets in, what comes over the line, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.headless.command import SECONDS, run
from tests.projects import Project, marked
from tests.serve.conftest import Served, until
from workbench.errors import UsageError
from workbench.serve import is_loopback, serve

Start = Callable[..., Served]


@asynccontextmanager
async def page(served: Served, **headers: str) -> AsyncIterator[ClientWebSocketResponse]:
    """The line of a page that is open."""
    async with ClientSession() as session:
        address = f"{served.address}ws?width=120&height=40"
        async with session.ws_connect(address, headers=headers, max_msg_size=0) as line:
            yield line


async def shows(line: ClientWebSocketResponse, text: str) -> None:
    seen = ""
    async with asyncio.timeout(SECONDS):
        async for message in line:
            if message.type is WSMsgType.BINARY:
                seen += message.data.decode(errors="replace")
            if text in seen:
                return
    raise AssertionError(f"{text!r} did not come")


async def idle(line: ClientWebSocketResponse) -> None:
    """Wait until nothing is painted any more: what then ends doesn't do so for a broken pipe."""
    with contextlib.suppress(TimeoutError):
        while True:
            await line.receive(timeout=1)


async def closed(line: ClientWebSocketResponse) -> None:
    async with asyncio.timeout(SECONDS):
        async for _ in line:
            pass  # until there is no workbench any more


async def left(mark: str, most: int) -> None:
    """Wait until at most so many of our processes are left."""

    async def so_few() -> bool:
        return len(marked(mark)) <= most

    await until(so_few)


async def test_a_page_is_a_workbench_that_watches(project: Project, serve: Start) -> None:
    served = serve("kernels/scale.c", "--device", "model")
    async with page(served, Origin=served.address.rstrip("/")) as line:
        await shows(line, "PASS")
        project.edit(project.kernel, "in[i] * factor", "in[i] * factor + 1")
        await shows(line, "FAIL")
        await line.send_json(["stdin", "q"])
        await closed(line)


async def test_without_a_kernel_it_can_be_picked(project: Project, serve: Start) -> None:
    (project.folder / "kernels" / "scale_2.c").write_text(project.kernel.read_text())
    async with page(serve()) as line:
        await shows(line, "kernels/scale_2.c")
        await line.send_json(["stdin", "\r"])
        await shows(line, "PASS")


async def test_only_its_own_page_gets_in(serve: Start) -> None:
    served = serve("kernels/scale.c")
    refused = [
        {"Host": "rebound.example"},
        {"Host": f"rebound.example:{served.port}"},
        {"Host": ""},
        {"Host": "["},
        {"Origin": "http://another.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{served.port}"},
    ]
    async with ClientSession() as session:
        for headers in refused:
            for path in ("", "ws", "download/x"):
                async with session.get(served.address + path, headers=headers) as answer:
                    assert answer.status in (400, 403), (headers, path)
        async with session.get(served.address) as answer:
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'self'")


async def test_a_forwarded_port_works(serve: Start) -> None:
    served = serve("kernels/scale.c")
    async with (
        ClientSession() as session,
        session.get(served.address, headers={"Host": "localhost:9000"}) as answer,
    ):
        assert 'websocket-url="ws://localhost:9000/ws"' in await answer.text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_left_behind(
    project: Project, serve: Start, mark: str, by: signal.Signals
) -> None:
    crash = project.folder / ".workbench" / "crash.log"
    crash.unlink(missing_ok=True)
    served = serve("kernels/scale.c", "--device", "model")
    async with page(served) as line:
        await shows(line, "PASS")
        await idle(line)
        assert len(marked(mark)) > 1
        code, _ = await asyncio.gather(asyncio.to_thread(served.ended, by), closed(line))
        assert code == (-by if by is signal.SIGKILL else 0)
        await left(mark, 0)
    assert not crash.exists(), crash.read_text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
async def test_a_page_that_is_closed_takes_its_workbench_along(serve: Start, mark: str) -> None:
    served = serve("kernels/scale.c", "--device", "model")
    async with page(served) as line:
        await shows(line, "PASS")
        assert len(marked(mark)) > 1
    await left(mark, 1)
    async with page(served) as line:
        await shows(line, "PASS")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_which_hosts_only_this_machine_reaches(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com", ""])
def test_another_host_is_refused_and_why(host: str) -> None:
    done = run("serve", "--host", host)
    assert done.code == 2
    assert done.sentence.startswith(f"--host {host} would let other machines in, and nothing asks")
    assert "ssh -L" in done.sentence
    assert "--allow-remote" in done.sentence


def test_a_port_that_is_taken(serve: Start) -> None:
    served = serve("kernels/scale.c")
    done = run("serve", "kernels/scale.c", "--port", str(served.port))
    assert done.code == 2
    assert done.sentence == (
        f"can't listen on 127.0.0.1:{served.port}: Address already in use (--port takes another)"
    )


def test_a_host_that_means_nothing() -> None:
    with pytest.raises(UsageError, match=r"can't listen on nowhere\.invalid:8000: "):
        serve([], host="nowhere.invalid", port=8000, allow_remote=True)

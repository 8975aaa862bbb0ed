"""A server that is told to end (protocol §1.7)."""

import time
from pathlib import Path

import pytest

from conftest import Join
from harness.flow import Follower, Stream
from harness.report import Report
from harness.server import serving

pytestmark = pytest.mark.own_server
CLOSED_MAX = 10.0


async def test_clients_are_told_of_a_shutdown(tmp_path: Path, join: Join, report: Report) -> None:
    async with serving(tmp_path) as server:
        kinds = [("py", True), ("py", False), ("js", True), ("js", False)]
        clients = [await join(kind, f"{kind}-{single}", at=server, single=single) for kind, single in kinds]
        begin = time.monotonic()
        server.terminate()
        for client in clients:
            gone = await client.log.wait("disconnected", within=CLOSED_MAX)
            assert gone.reason == "SERVER_SHUTDOWN"
        assert await server.ended(CLOSED_MAX) == 0
        report.time("SIGTERM: until the process has ended", time.monotonic() - begin)


@pytest.mark.parametrize(("source", "sink"), [("py", "js"), ("js", "py")])
async def test_clients_come_back_after_a_planned_restart(
    tmp_path: Path, join: Join, report: Report, source: str, sink: str
) -> None:
    async with serving(tmp_path, shutdown={"action": "reconnect"}) as server:
        publisher = await join(source, "publisher", at=server)
        watcher = await join(sink, "watcher", at=server)
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        async with Stream.running(publisher, "pose") as stream, Follower.running(watcher, publisher, "pose"):
            await stream.arrives(watcher, within=10)
            async with stream.spared():
                begin = time.monotonic()
                server.terminate()
                assert await server.ended(CLOSED_MAX) == 0
                await server.start()
                for client in (publisher, watcher):
                    await client.log.wait("reconnected", within=30)
            seen = await stream.arrives(watcher, within=15)
        report.time(f"planned restart, {source} → {sink}: until frames flow again", seen - begin)
        for client in (publisher, watcher):
            assert client.log.find("disconnected") == []
            await client.close()

"""ICE over TCP, for clients whose UDP does not get through."""

from collections.abc import Callable

import pytest

from conftest import Join
from harness.client import Client, Joining
from harness.flow import flowing
from harness.server import Server

MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])


@MODES
async def test_a_browser_without_udp_exchanges_frames_over_tcp(
    server: Server, room: str, make: Callable[[str, str], Client], join: Join, single: bool
) -> None:
    confined = make("js", "confined")
    token = server.login.token(confined.identity, room)
    await confined.connect(Joining(server.url, token, single, tcp_only=True))
    free = await join("py", "free", single=single)
    for publisher, watcher in ((confined, free), (free, confined)):
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        await flowing(publisher, watcher, "pose")
        since = watcher.log.mark()
        for sequence in range(1, 6):
            await publisher.push("pose", sequence, 16_384)
            frame = await watcher.frame("pose", 2, since, sequence=sequence)
            assert frame.intact
    assert await confined.transport() == "tcp"

"""`@livekit/rtc-node`, whose native library knows data tracks though its interface does not."""

import contextlib

import pytest

from conftest import Join
from harness.events import EventLog
from harness.flow import Stream
from harness.node import Node
from harness.server import Server

TRACKS = 5
STAY_SECONDS = 5.0


class Crowd(Stream):
    """A hundred frames a second."""

    PERIOD = 0.01


async def test_it_stays_unharmed_in_a_room_full_of_data_tracks(
    server: Server, room: str, join: Join, rtc_node: Node
) -> None:
    publishers = [await join("py", "robot"), await join("py", "arm", single=False)]
    logs = {name: rtc_node.logs.setdefault(name, EventLog(name)) for name in ("node-single", "node-dual")}
    async with contextlib.AsyncExitStack() as crowd:
        for publisher in publishers:
            for number in range(TRACKS):
                await publisher.publish(f"t{number}")
                await crowd.enter_async_context(Crowd.running(publisher, f"t{number}"))
        for name in logs:
            token = server.login.token(name, room)
            await rtc_node.call("connect", name, server.url, token, name == "node-single")
        await logs["node-single"].wait("participant_connected", identity="node-dual")
        others = {publisher.identity for publisher in publishers} | set(logs)
        for name in logs:
            assert set(await rtc_node.call("participants", name)) == others - {name}
        # Staying is what is tested; there is no event to wait for but the one that must not come.
        for name, log in logs.items():
            with pytest.raises(AssertionError, match="no disconnected"):
                await log.wait("disconnected", within=STAY_SECONDS / len(logs))
            assert await rtc_node.call("isConnected", name)
            assert log.find("reconnecting") == []
        for name in logs:
            await rtc_node.call("close", name)
            for publisher in publishers:
                await publisher.log.wait("participant_disconnected", identity=name)

"""A worker that dies takes the sessions of its clients alone, which begin anew by themselves (§5.9)."""

import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Join
from harness.client import Client
from harness.flow import Follower, Stream
from harness.report import Report
from harness.server import Server, serving

MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
PAIRS = pytest.mark.parametrize(("source", "sink"), [("py", "js"), ("js", "py"), ("rs", "js"), ("py", "rs")])
WORKERS = 2
RECONNECT_MAX = 30.0
FRAME_MAX = 15.0
BYSTANDERS = ["py", "js", "py"]
"""The first publishes to the others."""
JOINS_MAX = 16
FRAME_BYTES = 64
CALM = {"tracks": "calm", "latch": True, "policy": "queue", "frames": 4096, "age_max": "30s"}
"""Nothing of it is dropped for its age, however busy the machine is."""
SETTINGS: dict[str, Any] = {
    "workers": WORKERS,
    "metrics": {"tracks": True},
    "data_tracks": {"rules": [CALM]},
}


class Crowd:
    """Who is in the room, by the worker that serves them."""

    def __init__(self, server: Server, enter: Callable[[str, str], Awaitable[Client]]) -> None:
        self._server = server
        self._enter = enter
        self.of_worker: list[list[Client]] = [[] for _ in range(WORKERS)]

    async def add(self, kind: str, name: str) -> int:
        """Joins somebody; gives the worker that is to serve it, which is the server's choice."""
        client = await self._enter(kind, name)

        async def is_placed() -> bool:
            return sum(await self._served()) == 1 + sum(map(len, self.of_worker))

        await self._server.until(is_placed, FRAME_MAX, f"worker for {name}")
        before = map(len, self.of_worker)
        (worker,) = [
            at for at, (old, new) in enumerate(zip(before, await self._served(), strict=True)) if new > old
        ]
        self.of_worker[worker].append(client)
        return worker

    async def _served(self) -> list[float]:
        name = "trackyard_worker_participants"
        return [await self._server.metric(f'{name}{{worker="{worker}"}}') for worker in range(WORKERS)]


async def bystanders(crowd: Crowd, doomed: int) -> list[Client]:
    """Lets others in until there are such on another worker."""
    found: list[Client] = []
    for number in range(JOINS_MAX):
        kind = BYSTANDERS[len(found)]
        if (worker := await crowd.add(kind, f"other-{number}")) != doomed:
            found.append(crowd.of_worker[worker][-1])
        if len(found) == len(BYSTANDERS):
            return found
    raise AssertionError(f"one worker serves all: {[len(each) for each in crowd.of_worker]}")


async def check_lost_nothing(server: Server, track: str, watchers: list[Client], since: list[int]) -> None:
    """Every frame of `calm` that the server has had has come, in order, and sessions have gone on.

    Official publishers drop frames themselves on a busy machine, so those pushed are no measure.
    """

    async def all_came() -> bool:
        received = await server.metric(f"trackyard_track_received_packets_total{track}")
        return all(len(each.frames("calm")) == received for each in watchers)

    await server.until(all_came, FRAME_MAX, "frames that all have come")
    for each, mark in zip(watchers, since, strict=True):
        sequences = [frame.sequence for frame in each.frames("calm")]
        assert sequences == sorted(set(sequences))
        for kind in ("reconnecting", "reconnected", "disconnected"):
            assert each.log.find(kind, since=mark) == []
        assert each.log.find("subscription_ended", since=mark, name="calm") == []


@pytest.mark.own_server
@MODES
@PAIRS
async def test_clients_of_a_dead_worker_come_back_and_others_lose_nothing(
    tmp_path: Path, join: Join, room: str, report: Report, source: str, sink: str, single: bool
) -> None:
    async with serving(tmp_path, faults=True, **SETTINGS) as server:
        crowd = Crowd(server, lambda kind, name: join(kind, name, at=server, single=single))
        doomed = await crowd.add(source, "publisher")
        publisher = crowd.of_worker[doomed][0]
        watcher = crowd.of_worker[await crowd.add(sink, "watcher")][-1]
        calm, *others = await bystanders(crowd, doomed)
        victims = list(crowd.of_worker[doomed])
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        await calm.publish("calm")
        await calm.push("calm", 0, FRAME_BYTES)
        for each in others:
            await each.watch(calm.identity, "calm")
            # It is kept, so whoever has it has all that follow.
            await each.frame("calm", within=FRAME_MAX, sequence=0)
        async with (
            Stream.running(calm, "calm") as steady,
            Stream.running(publisher, "pose") as stream,
            following(watcher, publisher),
        ):
            await stream.arrives(watcher, within=FRAME_MAX)
            marks = [each.log.mark() for each in others]
            begin = time.monotonic()
            async with stream.spared():
                await server.kill_worker(doomed)
                back = [await each.log.wait("reconnected", within=RECONNECT_MAX) for each in victims]
            seen = await stream.arrives(watcher, within=FRAME_MAX)
            for each in others:
                await steady.arrives(each, within=FRAME_MAX)
        track = f'{{room="{room}",participant="{calm.identity}",track="calm"}}'
        await check_lost_nothing(server, track, others, marks)
        assert [each.log.find("disconnected") for each in victims] == [[]] * len(victims)
        everyone = [each for members in crowd.of_worker for each in members]
        assert await server.metric("trackyard_participants") == len(everyone)
        assert await publisher.is_published("pose")
        what = f"worker died, {source} → {sink}, {'single' if single else 'dual'}"
        report.time(f"{what}: until the last of its clients is back", max(each.at for each in back) - begin)
        report.time(f"{what}: until frames flow again", seen - begin)
        for each in everyone:
            await each.close()


def following(watcher: Client, publisher: Client) -> contextlib.AbstractAsyncContextManager[object]:
    """Nobody subscribes again for our client."""
    if watcher.keeps_subscriptions:
        return contextlib.nullcontext()
    return Follower.running(watcher, publisher, "pose")

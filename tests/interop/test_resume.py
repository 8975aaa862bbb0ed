"""Connections that break in the middle of what is reliable: nothing lost, nothing twice (protocol §6.2)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from harness.client import Joining
from harness.pair import Make
from harness.proxy import Proxy
from harness.server import Server
from harness.talk import About, Packets, Talker

FILE_BYTES = 5_000_000
PACKETS, PACKET_BYTES = 1_000, 5_000
CUT_AFTER = 0.2
RECONNECT_MAX = 20.0
ALL_MAX = 40.0
TABLE = "Resumed in the middle of what is reliable"


@dataclass(frozen=True)
class Course:
    """Which clients, whose connection breaks, and how: its signal connection is cut, or ICE is restarted."""

    source: str
    sink: str
    victim: str
    how: str
    single: bool

    def id(self) -> str:
        mode = "single" if self.single else "dual"
        return f"{self.source}-{self.sink}-{self.victim}-{self.how}-{mode}"

    def __str__(self) -> str:
        how = "signal of the {} cut" if self.how == "cut" else "ICE of the {} restarted"
        return f"{self.source} → {self.sink}, {how.format(self.victim)}{'' if self.single else ', dual'}"


COURSES = [
    Course("js", "py", "source", "cut", single=True),
    Course("js", "py", "sink", "restart", single=False),
    Course("js", "node", "source", "restart", single=True),
    Course("py", "js", "source", "cut", single=False),
    Course("py", "js", "sink", "cut", single=True),
    Course("py", "node", "sink", "restart", single=True),
    Course("node", "py", "source", "restart", single=False),
    Course("node", "js", "sink", "cut", single=True),
    Course("rs", "js", "source", "cut", single=True),
    Course("rs", "py", "sink", "restart", single=False),
    Course("js", "rs", "sink", "cut", single=False),
    Course("py", "rs", "source", "restart", single=True),
]
courses = pytest.mark.parametrize("course", COURSES, ids=Course.id)


@dataclass
class Broken:
    """Two clients in a room, and how to break the connection of one."""

    source: Talker
    sink: Talker
    victim: Talker
    proxy: Proxy

    async def resumed(self, how: str) -> None:
        """Breaks the connection, and waits until the session goes on."""
        since = self.victim.log.mark()
        if how == "cut":
            assert self.proxy.cut() > 0
        else:
            await self.victim.resume()
        await self.victim.log.wait("reconnected", since=since, within=RECONNECT_MAX)
        for each in (self.source, self.sink):
            assert each.log.find("participant_disconnected") == []


@pytest.fixture
async def broken(server: Server, room: str, talker: Make, course: Course) -> AsyncIterator[Broken]:
    """Joined, the victim through a proxy."""
    parts = urlsplit(server.http_url)
    async with Proxy.running(parts.port or 80, parts.hostname or "127.0.0.1") as proxy:
        source, sink = talker(course.source, "source"), talker(course.sink, "sink")
        victim = source if course.victim == "source" else sink
        try:
            for each in (source, sink):
                url = proxy.url if each is victim else server.url
                await each.connect(Joining(url, server.login.token(each.identity, room), course.single))
            await source.knows(sink)
            await sink.knows(source)
            yield Broken(source, sink, victim, proxy)
        finally:
            await source.close()
            await sink.close()


@courses
@pytest.mark.case(TABLE, "course", "1,000 packets")
async def test_packets_survive(broken: Broken, course: Course) -> None:
    source, sink = broken.source, broken.sink

    def has_begun() -> bool:
        return len(sink.packets(source.identity)) >= PACKETS * CUT_AFTER

    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(source.send_packets(Packets(PACKETS, PACKET_BYTES, pace=1)))
        await sink.log.wait_until(has_begun, ALL_MAX, "a fifth of the packets")
        assert not sending.done()
        await broken.resumed(course.how)
    await source.send_packets(Packets(1, topic="mark"))
    await sink.log.wait("packet", within=ALL_MAX, topic="mark")
    assert sink.packets(source.identity) == list(range(1, PACKETS + 1))


@courses
@pytest.mark.case(TABLE, "course", "a file of 5 MB")
async def test_a_file_survives(broken: Broken, course: Course) -> None:
    source, sink = broken.source, broken.sink

    def has_begun() -> bool:
        return any(each.done >= CUT_AFTER for each in sink.log.find("progress"))

    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(source.send_file(FILE_BYTES, About()))
        await sink.log.wait_until(has_begun, ALL_MAX, "a fifth of the file")
        assert sink.log.find("bytes") == []
        await broken.resumed(course.how)
    seen = await sink.log.wait("bytes", within=ALL_MAX)
    assert (seen.size, seen.error, seen.sha256) == (FILE_BYTES, None, sending.result().sha256)

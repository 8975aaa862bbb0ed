"""How official clients bear many tracks of one participant, and how they publish them.

The tests run one point of the curve; `MANY_TRACKS=1000,4000,10000` draws it, into `artifacts/many-tracks.md`.
One client at a time is an official one, and our own is at the other end.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import Join
from harness.client import Client
from harness.report import Report
from harness.server import Server, serving

COUNTS = [int(count) for count in os.environ.get("MANY_TRACKS", "1000").split(",")]
OFFICIAL = pytest.mark.parametrize("kind", ["py", "js"])
FRAME_BYTES = 64
KEPT_MAX = 2.0
PUSHES_MAX = 10
SUBSCRIBED_MAX = {"py": 1_000, "js": 10_000}
"""The Python library asks every subscription about every event: with 4,000 it takes minutes."""
TRACK_SIGNAL_BYTES_MAX = 1_000
"""Of lists and answers together; who takes longer to publish is in more lists, but not in one for each."""
LONG_LIST_TRACKS = 1_500
LONG_LISTS_BYTES_PER_SECOND = 4_000_000
"""Longer lists may cost this, so that none of their tracks waits."""


def names(count: int) -> list[str]:
    return [f"track/{number:05}" for number in range(count)]


def patience(count: int) -> float:
    return 30 + count / 50


@dataclass
class Curve:
    """Rows so far of both tables."""

    watched: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """A table for watchers and one for publishers."""
        watched = "| watcher | tracks | last one known | all known to who comes late |"
        watched += " a frame of each once subscribed | signalling |"
        published = "| publisher | tracks | published | last one known | signalling |"
        lines = [watched, "|---" * 6 + "|", *self.watched, "", published, "|---" * 5 + "|", *self.published]
        return "\n".join(["# Many tracks", "", *lines, ""])


@pytest.fixture(scope="module")
def curve(artifacts: Path) -> Iterator[Curve]:
    """Written down if more than one point was asked for."""
    curve = Curve()
    yield curve
    if len(COUNTS) > 1:
        (artifacts / "many-tracks.md").write_text(curve.markdown())


@pytest.fixture(scope="module")
async def patient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server that keeps a frame of each track, and drops none for its age, however busy the machine is."""
    rule = {"tracks": "track/*", "latch": True, "policy": "queue", "age_max": "30s"}
    async with serving(tmp_path_factory.mktemp("patient"), data_tracks={"rules": [rule]}) as server:
        yield server


@dataclass
class Meter:
    """What clients were told since."""

    server: Server
    before: float
    begun: float

    @classmethod
    async def begun_now(cls, server: Server) -> "Meter":
        """Counts from now on."""
        return cls(server, await cls._count(server), time.monotonic())

    async def signalled(self) -> float:
        """Bytes to all clients, answers included."""
        return await self._count(self.server) - self.before

    @staticmethod
    async def _count(server: Server) -> float:
        return await server.metric("trackyard_signal_sent_bytes_total")


def check_signalling(count: int, sent: float, seconds: float) -> None:
    allowed = count * TRACK_SIGNAL_BYTES_MAX
    if count > LONG_LIST_TRACKS:
        allowed += LONG_LISTS_BYTES_PER_SECOND * seconds
    assert sent <= allowed


async def knows(watcher: Client, count: int) -> float:
    """When the last of so many tracks was known, in the log's time."""
    # Each event is looked at once: the log is long, and the clock runs.
    await watcher.log.wait_until(
        lambda: len(watcher.log.events) >= count and len(watcher.log.find("track_published")) >= count,
        patience(count),
        f"{count} tracks",
    )
    return watcher.log.find("track_published")[-1].at


async def latched(publisher: Client, server: Server, count: int) -> None:
    """Has the server keep a frame of each track."""
    name = "trackyard_worker_latched_kept_total"
    before = await server.metric(name)
    for number, track in enumerate(names(count)):
        await publisher.push(track, number, FRAME_BYTES)

    async def kept() -> bool:
        return await server.metric(name) - before == count

    await server.until(kept, patience(count), f"{count} latched frames")


async def subscribed(watcher: Client, publisher: Client, count: int) -> tuple[float, int]:
    """Subscribes to all at once; gives when a frame of the last one has come, and how many kept ones have.

    Libraries drop frames that come before they have taken in the handles; of such tracks a new one is pushed.
    """
    since = watcher.log.mark()
    await watcher.subscribe_all(publisher.identity, names(count), patience(count))

    def served() -> set[str]:
        return {each.name for each in watcher.log.find("frame", since=since)}

    kept = None
    for _ in range(PUSHES_MAX):
        with contextlib.suppress(AssertionError):
            await watcher.log.wait_until(lambda: len(served()) == count, KEPT_MAX, "frame of each")
        missing = sorted(set(names(count)) - served())
        kept = count - len(missing) if kept is None else kept
        for track in missing:
            await publisher.push(track, 0, FRAME_BYTES)
        if not missing:
            return watcher.log.find("frame", since=since)[-1].at, kept
    raise AssertionError(f"{len(missing)} of {count} subscriptions give no frame")


@pytest.mark.own_server
@pytest.mark.parametrize("count", COUNTS)
@OFFICIAL
async def test_many_tracks_are_known_to_who_was_there_and_to_who_comes(
    join: Join, patient: Server, curve: Curve, report: Report, kind: str, count: int
) -> None:
    publisher, watcher = await join("rs", "publisher", at=patient), await join(kind, "watcher", at=patient)
    meter = await Meter.begun_now(patient)
    publishing = asyncio.create_task(publisher.publish_all(names(count), patience(count)))
    known = await knows(watcher, count) - meter.begun
    await publishing
    sent = await meter.signalled()
    await latched(publisher, patient, count)
    came = time.monotonic()
    late = await join(kind, "late", at=patient)
    arrived = await knows(late, count) - came
    asked = time.monotonic()
    some = min(count, SUBSCRIBED_MAX[kind])
    at, kept = await subscribed(late, publisher, some)
    served = at - asked
    times = f"{known:.2f} s | {arrived:.2f} s | {served:.2f} s ({kept:,} of {some:,} kept)"
    curve.watched.append(f"| {kind} | {count:,} | {times} | {sent / 1e6:.2f} MB |")
    what = f"{count:,} tracks, {kind}: last one known / all known to who comes late / a frame of each"
    report.figure(what, f"{known:.2f} s / {arrived:.2f} s / {served:.2f} s")
    check_signalling(count, sent, known)


@pytest.mark.own_server
@pytest.mark.parametrize("count", COUNTS)
@OFFICIAL
async def test_official_clients_publish_many_tracks(
    join: Join, patient: Server, curve: Curve, report: Report, kind: str, count: int
) -> None:
    publisher, watcher = await join(kind, "publisher", at=patient), await join("rs", "watcher", at=patient)
    meter = await Meter.begun_now(patient)
    await publisher.publish_all(names(count), patience(count))
    published = time.monotonic() - meter.begun
    known = await knows(watcher, count) - meter.begun
    sent = await meter.signalled()
    curve.published.append(
        f"| {kind} | {count:,} | {published:.2f} s | {known:.2f} s | {sent / 1e6:.2f} MB |"
    )
    report.figure(
        f"{count:,} tracks by {kind}: published / last one known", f"{published:.2f} s / {known:.2f} s"
    )
    check_signalling(count, sent, known)

"""How official clients bear many tracks of one participant.

The tests run one point of the curve; `MANY_TRACKS=1000,4000,10000` draws it, into `artifacts/many-tracks.md`.
Each client looks through all tracks that it knows for every one that it is told of, so it is the clients that
bend the curve.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Join
from harness.client import Client
from harness.report import Report
from harness.server import Server

COUNTS = [int(count) for count in os.environ.get("MANY_TRACKS", "1000").split(",")]
IN_FLIGHT = 64
"""Publications that wait for their answer."""


@dataclass(frozen=True)
class Point:
    """What one client made of so many tracks."""

    kind: str
    count: int
    known: float
    """Seconds from the first publication until the last track was known."""
    published: float
    """Of these, until the last publication was answered."""
    late: float
    """Seconds from joining until all were known, with all of them published before."""
    signal_bytes: int
    """To publisher and watcher together, answers included."""

    def row(self) -> str:
        return (
            f"| {self.kind} | {self.count:,} | {self.published:.2f} s | {self.known:.2f} s "
            f"| {self.late:.2f} s | {self.signal_bytes / 1e6:.2f} MB |"
        )


@pytest.fixture(scope="module")
def curve(artifacts: Path) -> Iterator[list[Point]]:
    """Points so far; written down if more than one was asked for."""
    points: list[Point] = []
    yield points
    if len(COUNTS) > 1:
        head = "| watcher | tracks | published | last one known | all known to who comes late | signalling |"
        lines = ["# Many tracks", "", head, "|---" * 6 + "|", *(point.row() for point in points), ""]
        (artifacts / "many-tracks.md").write_text("\n".join(lines))


async def knows(watcher: Client, count: int) -> float:
    """When the last of so many tracks was known, in the log's time."""
    # Each event is looked at once: the log is long, and the clock runs.
    await watcher.log.wait_until(
        lambda: len(watcher.log.events) >= count and len(watcher.log.find("track_published")) >= count,
        60 + count / 10,
        f"{count} tracks",
    )
    return watcher.log.find("track_published")[-1].at


async def publish_many(publisher: Client, count: int) -> float:
    """Publishes tracks, some at a time; gives when the last one was."""
    turns = asyncio.Semaphore(IN_FLIGHT)

    async def publish(number: int) -> None:
        async with turns:
            await publisher.publish(f"track/{number:05}")

    await asyncio.gather(*(publish(number) for number in range(count)))
    return time.monotonic()


@pytest.mark.own_server
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["py", "js"])
async def test_many_tracks_are_known_to_who_was_there_and_to_who_comes(
    join: Join, server: Server, curve: list[Point], report: Report, kind: str, count: int
) -> None:
    publisher, watcher = await join("rs", "publisher"), await join(kind, "watcher")
    before, begun = await server.metric("trackyard_signal_sent_bytes_total"), time.monotonic()
    publishing = asyncio.create_task(publish_many(publisher, count))
    known = await knows(watcher, count) - begun
    published = await publishing - begun
    sent = await server.metric("trackyard_signal_sent_bytes_total") - before
    came = time.monotonic()
    late = await join(kind, "late")
    arrived = await knows(late, count) - came
    point = Point(kind, count, known, published, arrived, int(sent))
    curve.append(point)
    what = f"{count:,} tracks, {kind}: last one known / all known to who comes late"
    report.figure(what, f"{known:.2f} s / {arrived:.2f} s")
    # With the answers to the publisher; one whole list for each track would be hundreds of times as much.
    assert sent <= count * 600

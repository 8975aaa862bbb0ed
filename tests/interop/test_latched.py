"""Tracks whose last frame is kept, as official clients that come late see them (docs/delivery.md)."""

import itertools
from collections.abc import AsyncIterator

import pytest

from conftest import Join
from harness.client import Client
from harness.flow import flowing
from harness.server import Server, serving

pytestmark = pytest.mark.own_server

OFFICIAL = ("py", "js")
MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
SIZES = pytest.mark.parametrize("size", [64, 75 * 1024], ids=["small", "large"])
KEPT = "trackyard_worker_latched_kept_total"
COUNTING_MAX = 10.0
FRAME_MAX = 5.0


@pytest.fixture(scope="module")
async def keeper(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server whose operator has `map` latched, with two workers."""
    rules = [{"tracks": "map", "latch": True}]
    async with serving(tmp_path_factory.mktemp("keeper"), workers=2, data_tracks={"rules": rules}) as server:
        yield server


async def push_until(
    server: Server, counter: str, publisher: Client, name: str, sequence: int = 1, size: int = 64
) -> None:
    """Pushes a frame, and waits until the server has counted it."""
    before = await server.metric(counter)
    await publisher.push(name, sequence, size)

    async def is_counted() -> bool:
        return await server.metric(counter) > before

    await server.until(is_counted, COUNTING_MAX, f"frame in {counter}")


async def push_kept(server: Server, publisher: Client, name: str, size: int) -> None:
    """Pushes frames 1 to 3, each once the server has kept the one before."""
    for sequence in (1, 2, 3):
        await push_until(server, KEPT, publisher, name, sequence, size)


async def check_last_first(publisher: Client, late: Client, name: str, size: int) -> None:
    """Who comes late gets the last frame whole before a newer one, and none that is older."""
    await late.watch(publisher.identity, name)
    first = await late.frame(name, within=FRAME_MAX)
    assert (first.sequence, first.size, first.intact) == (3, size, True)
    await publisher.push(name, 4, size)
    await late.frame(name, within=FRAME_MAX, sequence=4)
    assert [each.sequence for each in late.frames(name)] == [3, 4]


@SIZES
@MODES
@pytest.mark.parametrize("sink", OFFICIAL)
async def test_what_our_publisher_has_latched_comes_first(
    keeper: Server, join: Join, sink: str, single: bool, size: int
) -> None:
    publisher = await join("rs", "publisher", at=keeper, single=single)
    await publisher.publish("plan", latch=True)
    await push_kept(keeper, publisher, "plan", size)
    late = await join(sink, "late", at=keeper, single=single)
    await check_last_first(publisher, late, "plan", size)


@SIZES
@MODES
@pytest.mark.parametrize(("source", "sink"), itertools.product(OFFICIAL, OFFICIAL))
async def test_what_the_operator_has_latched_comes_first(
    keeper: Server, join: Join, source: str, sink: str, single: bool, size: int
) -> None:
    publisher = await join(source, "publisher", at=keeper, single=single)
    await publisher.publish("map")
    await push_kept(keeper, publisher, "map", size)
    late = await join(sink, "late", at=keeper, single=single)
    await check_last_first(publisher, late, "map", size)
    # One that is there already does not get it again because somebody comes.
    later = await join(sink, "later", at=keeper, single=single)
    await later.watch(publisher.identity, "map")
    assert (await later.frame("map", within=FRAME_MAX)).sequence == 4
    assert [each.sequence for each in late.frames("map")] == [3, 4]


@pytest.mark.parametrize("sink", OFFICIAL)
async def test_nothing_is_kept_of_other_tracks_and_of_those_that_have_ended(
    keeper: Server, join: Join, sink: str
) -> None:
    publisher = await join("py", "publisher", at=keeper)
    late = await join(sink, "late", at=keeper)
    first = await publisher.publish("map")
    await publisher.publish("pose")
    await push_until(keeper, "trackyard_datatrack_packets_received_total", publisher, "pose")
    await push_until(keeper, KEPT, publisher, "map")
    await publisher.unpublish("map")
    await late.log.wait("track_unpublished", sid=first)
    since = late.log.mark()
    await publisher.publish("map")
    await late.announced(publisher.identity, "map", since=since)
    for name in ("pose", "map"):
        await late.watch(publisher.identity, name)
        await flowing(publisher, late, name)
        assert {each.sequence for each in late.frames(name)} == {0}

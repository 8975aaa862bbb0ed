"""What our own client does beyond frames, beside official ones (protocol §5.3, §5.5)."""

import itertools
import time

import pytest

from conftest import Join
from harness.client import Client
from harness.flow import WITH_OURS, Stream, flowing
from harness.rust_client import RustClient

OFFICIAL = pytest.mark.parametrize("official", ["py", "js"])
MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
PAIRS = pytest.mark.parametrize(("source", "sink"), WITH_OURS)


def ours(client: Client) -> RustClient:
    """The client as what it is."""
    assert isinstance(client, RustClient)
    return client


@MODES
async def test_it_has_the_peer_connections_that_it_is_told_to_have(join: Join, single: bool) -> None:
    client = ours(await join("rs", "robot", single=single))
    assert await client.is_single() == single


@PAIRS
async def test_timestamps_arrive_as_they_were_given(join: Join, source: str, sink: str) -> None:
    publisher = await join(source, "publisher")
    watcher = await join(sink, "watcher")
    await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    await flowing(publisher, watcher, "pose")
    # The official JavaScript client leaves a timestamp of 0 out; its numbers are exact up to 2^53.
    given = [None, 1, int(time.time() * 1000), 2**53 - 1]
    for sequence, timestamp in enumerate(given, start=1):
        await publisher.push("pose", sequence, 5_000, timestamp)
        seen = await watcher.frame("pose", within=5, sequence=sequence)
        assert (seen.timestamp, seen.intact) == (timestamp, True)


@OFFICIAL
async def test_a_target_rate_leaves_frames_out_evenly(join: Join, official: str) -> None:
    publisher = await join(official, "publisher")
    watcher, witness = ours(await join("rs", "slow")), await join("rs", "witness")
    await publisher.publish("pose")
    await watcher.announced(publisher.identity, "pose")
    await watcher.subscribe(publisher.identity, "pose", target_fps=5)
    await witness.watch(publisher.identity, "pose")

    def five_frames() -> list[int] | None:
        seen = [each.sequence for each in watcher.frames("pose")]
        return seen[:5] if len(seen) >= 5 else None

    begin = time.monotonic()
    async with Stream.running(publisher, "pose") as stream:
        await stream.arrives(witness, within=10)
        kept = await watcher.log.wait_until(five_frames, 10, "five frames of pose")
        pace = stream.sequence / (time.monotonic() - begin)
    # Of fifty a second, or what the machine makes of them, every tenth; turns of its own are given a third.
    steps = [after - before for before, after in itertools.pairwise(kept)]
    assert sum(steps) >= 4 * pace / 5 * 2 / 3, f"{kept} of {stream.sequence}, {pace} a second"
    assert len(witness.frames("pose")) > sum(steps) / 2


@OFFICIAL
async def test_several_watchers_of_each_kind_see_the_same(join: Join, official: str) -> None:
    publisher = await join("rs", "publisher")
    watchers = [await join(kind, f"{kind}-watcher") for kind in (official, "rs", official)]
    await publisher.publish("pose")
    for watcher in watchers:
        await watcher.watch(publisher.identity, "pose")
        await flowing(publisher, watcher, "pose")
    async with Stream.running(publisher, "pose") as stream:
        while stream.sequence < 50:
            for watcher in watchers:
                await stream.arrives(watcher, within=10)
    for watcher in watchers:
        seen = [each.sequence for each in watcher.frames("pose") if 0 < each.sequence <= 50]
        assert seen == sorted(set(seen))
        assert len(seen) >= 45, seen

"""Connections that break: sessions go on, or begin anew with the same tracks (protocol §5.9, §9)."""

import itertools
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Join
from harness.client import Client
from harness.flow import Follower, Stream, flowing
from harness.proxy import Proxy
from harness.report import Report
from harness.server import Server, serving

KINDS = pytest.mark.parametrize("kind", ["py", "js"])
MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
PAIRS = pytest.mark.parametrize(("source", "sink"), [("py", "js"), ("js", "py")])
RECONNECT_MAX = 20.0


def mode(single: bool) -> str:
    return "single" if single else "dual"


def longest_gap(watcher: Client, name: str, begin: float) -> float:
    """The longest time without a frame since then."""
    times = [begin] + [each.at for each in watcher.frames(name) if each.at > begin]
    return max(after - before for before, after in itertools.pairwise(times))


@MODES
@PAIRS
@pytest.mark.parametrize("cut", ["source", "sink"])
async def test_a_lost_signal_connection_is_resumed(
    server: Server, join: Join, report: Report, source: str, sink: str, single: bool, cut: str
) -> None:
    parts = urlsplit(server.http_url)
    async with Proxy.running(parts.port or 80, parts.hostname or "127.0.0.1") as proxy:
        urls = {"source": server.url, "sink": server.url, cut: proxy.url}
        publisher = await join(source, "publisher", url=urls["source"], single=single)
        watcher = await join(sink, "watcher", url=urls["sink"], single=single)
        sids = [await publisher.publish("pose"), await publisher.sid(), await watcher.sid()]
        await watcher.watch(publisher.identity, "pose")
        victim = publisher if cut == "source" else watcher
        async with Stream.running(publisher, "pose") as stream:
            await stream.arrives(watcher, within=10)
            begin = time.monotonic()
            assert proxy.cut() > 0
            back = await victim.log.wait("reconnected", within=RECONNECT_MAX)
            await stream.arrives(watcher, within=5)
        what = f"signal of the {cut} cut, {source} → {sink}, {mode(single)}"
        report.time(f"{what}: until it is resumed", back.at - begin)
        report.time(f"{what}: longest time without a frame", longest_gap(watcher, "pose", begin))

        announced = await watcher.announced(publisher.identity, "pose")
        assert [announced.sid, await publisher.sid(), await watcher.sid()] == sids
        assert watcher.log.find("participant_disconnected") == []
        assert watcher.log.find("track_unpublished") == []
        await publisher.publish("after")
        await watcher.watch(publisher.identity, "after")
        await flowing(publisher, watcher, "after")
        await publisher.close()
        await watcher.close()


@MODES
async def test_ice_restarts_with_a_resume(join: Join, report: Report, single: bool) -> None:
    publisher = await join("js", "publisher", single=single)
    watcher = await join("py", "watcher", single=single)
    await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    before = await publisher.ice_fragment()
    async with Stream.running(publisher, "pose") as stream:
        await stream.arrives(watcher, within=10)
        begin = time.monotonic()
        await publisher.reconnect(full=False)
        back = await publisher.log.wait("reconnected", within=RECONNECT_MAX)
        await stream.arrives(watcher, within=5)
    assert await publisher.ice_fragment() != before
    report.time(f"ICE restart, js → py, {mode(single)}: until done", back.at - begin)
    gap = longest_gap(watcher, "pose", begin)
    report.time(f"ICE restart, js → py, {mode(single)}: longest time without a frame", gap)


@MODES
@PAIRS
@pytest.mark.parametrize("who", ["source", "sink"])
async def test_a_full_reconnect_brings_tracks_and_subscriptions_back(
    join: Join, report: Report, source: str, sink: str, single: bool, who: str
) -> None:
    publisher = await join(source, "publisher", single=single)
    watcher = await join(sink, "watcher", single=single)
    await publisher.publish("pose")
    await watcher.watch(publisher.identity, "pose")
    victim = publisher if who == "source" else watcher
    old = await victim.sid()
    async with (
        Stream.running(publisher, "pose") as stream,
        Follower.running(watcher, publisher, "pose") as follower,
    ):
        await stream.arrives(watcher, within=10)
        begin = time.monotonic()
        async with stream.spared():
            await victim.reconnect(full=True)
            back = await victim.log.wait("reconnected", within=RECONNECT_MAX)
        await stream.arrives(watcher, within=10)
    what = f"full reconnect of the {who}, {source} → {sink}, {mode(single)}"
    report.time(f"{what}: until done", back.at - begin)
    report.time(f"{what}: longest time without a frame", longest_gap(watcher, "pose", begin))
    report.figure(f"{what}: subscription", "renewed by the application" if follower.renewals else "kept")
    assert await victim.sid() != old
    assert await publisher.is_published("pose")


@pytest.mark.own_server
@MODES
@PAIRS
async def test_everybody_comes_back_after_the_server_was_killed(
    tmp_path: Path, join: Join, report: Report, source: str, sink: str, single: bool
) -> None:
    async with serving(tmp_path) as server:
        publisher = await join(source, "publisher", at=server, single=single)
        watcher = await join(sink, "watcher", at=server, single=single)
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        async with (
            Stream.running(publisher, "pose") as stream,
            Follower.running(watcher, publisher, "pose"),
        ):
            await stream.arrives(watcher, within=10)
            async with stream.spared():
                await server.kill()
                begin = time.monotonic()
                await server.start()
                for client in (publisher, watcher):
                    await client.log.wait("reconnected", within=30)
            seen = await stream.arrives(watcher, within=15)
        what = f"server killed and started, {source} → {sink}, {mode(single)}"
        report.time(f"{what}: until frames flow again", seen - begin)
        await publisher.close()
        await watcher.close()

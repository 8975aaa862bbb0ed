"""Packets, streams, RPC and state between every two kinds of client (protocol §6, §7)."""

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from statistics import median
from typing import Any

import pytest
from livekit import api

from harness.client import Refused
from harness.keys import Keys
from harness.pair import Kinds, Make, Pair
from harness.report import Report
from harness.server import Server
from harness.talk import About, Packets, RpcFailed, Talker

CLIENTS = ("js", "node", "py", "rs")
DUAL = [("py", "js"), ("js", "node"), ("node", "py"), ("rs", "js"), ("py", "rs")]
ENCRYPTED = [("js", "py"), ("py", "js"), ("rs", "js"), ("js", "rs"), ("rs", "py"), ("py", "rs")]
PAIRS = [
    *(Kinds(*each) for each in itertools.product(CLIENTS, repeat=2)),
    *(Kinds(*each, single=False) for each in DUAL),
    *(Kinds(*each, keys=Keys.shared("correct horse")) for each in ENCRYPTED),
]
TABLE = "Packets, streams, RPC and state: what the first does to the second"
KNOWN: list[tuple[str, Callable[[Kinds], bool], str]] = [
    (
        "to one alone",
        lambda kinds: bool(kinds.keys) and kinds.source == "js",
        "livekit-client 2.23.0 seals a packet's destinations with it: the server has none to obey",
    ),
    (
        "packets, lossy",
        lambda kinds: bool(kinds.keys) and kinds.sink == "js",
        "livekit-client 2.23.0 says of every packet that was sealed that it was sent reliably",
    ),
]
SHORT = "grüße, 世界 🚀"
LONG = " ".join(f"{number} ways to paint a wall, {number * 7} to paint a fence;" for number in range(5_000))
PIECES = [f"piece {number} ← {'░' * number}\n" for number in range(30)]
FILE_BYTES = 1_000_000
PACKETS = 100
LOSSY, LOSSY_MIN = 50, 40
CALLS = 20
POLL_SECONDS = 0.02
FORBIDDEN = 'trackyard_user_packets_dropped_total{reason="forbidden"}'

pytestmark = pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=Kinds.id, scope="module")


def case(name: str) -> pytest.MarkDecorator:
    """A column of the table of pairs."""
    return pytest.mark.case(
        "Packets, streams, RPC and state: what the first does to the second", "pair", name
    )


@pytest.fixture(scope="module")
async def pair(request: pytest.FixtureRequest, server: Server, talker: Make) -> AsyncIterator[Pair]:
    """Joined once for all cases."""
    async with Pair.joined(request.param, server, talker) as pair:
        yield pair


@pytest.fixture(scope="module")
async def service(server: Server) -> AsyncIterator[api.room_service.RoomService]:
    """The server's own API."""
    async with api.LiveKitAPI(server.http_url, server.login.key, server.login.secret) as everything:
        yield everything.room


@pytest.fixture(autouse=True)
def known(request: pytest.FixtureRequest) -> None:
    """Cases that fail for what an official client does, with every server; they have to fail."""
    for name, fails, reason in KNOWN:
        marker = request.node.get_closest_marker("case")
        if marker.args[2] == name and fails(request.node.callspec.params["pair"]):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


def of(talker: Talker) -> dict[str, str]:
    """What says that an event is of what this one has sent."""
    return {"from": talker.identity}


@case("text, short")
async def test_a_short_text(pair: Pair) -> None:
    since = pair.sink.log.mark()
    await pair.source.send_text(SHORT, About(attributes={"mood": "fine"}))
    seen = await pair.sink.log.wait("text", since=since, **of(pair.source))
    assert (seen.text, seen.error, seen.attributes) == (SHORT, None, {"mood": "fine"})


@case("text, 200 KB")
async def test_a_long_text(pair: Pair) -> None:
    whole = LONG.encode()[:200_000]
    since = pair.sink.log.mark()
    await pair.source.send_text(whole.decode(), About())
    seen = await pair.sink.log.wait("text", since=since, **of(pair.source))
    assert (seen.size, seen.error) == (200_000, None)
    assert seen.sha256 == hashlib.sha256(whole).hexdigest()


@case("text in pieces")
async def test_a_text_piece_by_piece(pair: Pair) -> None:
    since = pair.sink.log.mark()
    await pair.source.stream_text(PIECES, About())
    seen = await pair.sink.log.wait("text", since=since, **of(pair.source))
    assert (seen.text, seen.error) == ("".join(PIECES), None)


@case("file, 1 MB")
async def test_a_file_with_its_progress(pair: Pair, report: Report) -> None:
    since, begin = pair.sink.log.mark(), time.monotonic()
    sent = await pair.source.send_file(FILE_BYTES, About())
    seen = await pair.sink.log.wait("bytes", since=since, within=30, **of(pair.source))
    report.time(f"a file of 1 MB, {pair.kinds}: until it has arrived", seen.at - begin)
    assert (seen.size, seen.total, seen.error) == (FILE_BYTES, FILE_BYTES, None)
    assert seen.sha256 == sent.sha256
    assert seen.name.endswith(".bin")
    assert len(seen.progress) > 10
    # A browser tells of as many bytes as it has read at once.
    for progress in filter(None, (seen.progress, sent.progress)):
        assert progress == sorted(progress)
        assert progress[-1] == 1


@case("packets, reliable")
async def test_reliable_packets(pair: Pair) -> None:
    since = pair.sink.log.mark()
    await pair.source.send_packets(Packets(PACKETS, topic="reliable"))
    await pair.settled(pair.sink)
    assert pair.sink.packets(pair.source.identity, "reliable", since) == list(range(1, PACKETS + 1))
    assert all(each.reliable for each in pair.sink.log.find("packet", since=since, topic="reliable"))


@case("packets, lossy")
async def test_lossy_packets(pair: Pair) -> None:
    since = pair.sink.log.mark()
    await pair.source.send_packets(Packets(LOSSY, reliable=False, topic="lossy", pace=2))

    def seen() -> list[int]:
        return pair.sink.packets(pair.source.identity, "lossy", since)

    await pair.sink.log.wait_until(lambda: len(seen()) >= LOSSY_MIN, 5, f"{LOSSY_MIN} lossy packets")
    assert seen() == sorted(set(seen()))
    assert not any(each.reliable for each in pair.sink.log.find("packet", since=since, topic="lossy"))


@case("to one alone")
async def test_what_is_for_one_alone(pair: Pair) -> None:
    sink, witness = pair.sink, pair.witness
    since, others_since = sink.log.mark(), witness.log.mark()
    to = About(to=[sink.identity])
    await pair.source.send_packets(Packets(3, topic="alone", to=to.to))
    await pair.source.send_packets(Packets(3, topic="alone, lossy", to=to.to, reliable=False))
    await pair.source.send_text("for you", to)
    await pair.source.send_file(50_000, to)
    text = await sink.log.wait("text", since=since, **of(pair.source))
    file = await sink.log.wait("bytes", since=since, **of(pair.source))
    assert (text.text, file.size) == ("for you", 50_000)
    await pair.settled(sink, witness)
    assert sink.packets(pair.source.identity, "alone", since) == [1, 2, 3]
    for topic in ("alone", "alone, lossy"):
        assert witness.packets(pair.source.identity, topic, others_since) == []
    assert witness.log.find("stream_opened", since=others_since) == []


@case("RPC")
async def test_a_call_is_answered(pair: Pair, report: Report) -> None:
    assert await pair.source.rpc(pair.sink.identity, "echo", SHORT) == SHORT
    assert await pair.source.rpc(pair.sink.identity, "echo", "") == ""
    assert await pair.source.rpc(pair.sink.identity, "caller") == pair.source.identity
    took = []
    for _ in range(CALLS):
        begin = time.monotonic()
        await pair.source.rpc(pair.sink.identity, "echo", SHORT)
        took.append(time.monotonic() - begin)
    report.time(f"a call and its answer, {pair.kinds}: median of {CALLS}", median(took))


@case("RPC, error")
async def test_an_error_of_the_application_is_kept(pair: Pair) -> None:
    wanted = {"code": 2001, "message": "out of paint", "data": '{"left": 0}'}
    with pytest.raises(RpcFailed) as caught:
        await pair.source.rpc(pair.sink.identity, "fail", json.dumps(wanted))
    assert vars(caught.value) == wanted
    with pytest.raises(RpcFailed) as caught:
        await pair.source.rpc(pair.sink.identity, "crash")
    assert caught.value.code == 1500


@case("RPC, timeout")
async def test_a_call_without_an_answer_times_out(pair: Pair) -> None:
    with pytest.raises(RpcFailed) as caught:
        await pair.source.rpc(pair.sink.identity, "never", timeout=1)
    assert caught.value.code == 1502


@case("RPC, unknown method")
async def test_a_method_that_nobody_serves(pair: Pair) -> None:
    with pytest.raises(RpcFailed) as caught:
        await pair.source.rpc(pair.sink.identity, "no such method")
    assert caught.value.code == 1400


@case("RPC, 10 KB")
async def test_payloads_of_10_kilobytes(pair: Pair) -> None:
    payload = LONG[:10_000]
    assert await pair.source.rpc(pair.sink.identity, "echo", payload) == payload


@case("RPC, 60 KB")
async def test_payloads_that_need_a_stream(pair: Pair) -> None:
    payload = LONG[:60_000]
    assert await pair.source.rpc(pair.sink.identity, "echo", payload) == payload
    assert await pair.source.rpc(pair.sink.identity, "repeat", "60000") == "x" * 60_000


async def seen(watcher: Talker, kind: str, since: int, fits: Callable[[Any], bool]) -> None:
    """Waits for an event of that kind that fits."""
    await watcher.log.wait_until(lambda: any(map(fits, watcher.log.find(kind, since=since))), 10, kind)


async def attributes_seen(pair: Pair, since: dict[str, int], prefix: str, wanted: dict[str, str]) -> None:
    """Waits until both see these attributes of the source under the prefix, and no others."""
    identity = pair.source.identity

    def theirs(attributes: dict[str, str]) -> dict[str, str]:
        return {key: value for key, value in attributes.items() if key.startswith(prefix)}

    for each in (pair.source, pair.sink):
        await seen(
            each,
            "attributes_changed",
            since[each.identity],
            lambda event: event.identity == identity and theirs(event.attributes) == wanted,
        )
        assert theirs((await each.profile(identity))["attributes"]) == wanted


def marks(pair: Pair) -> dict[str, int]:
    return {each.identity: each.log.mark() for each in (pair.source, pair.sink)}


@case("attributes, set")
async def test_attributes_are_set(pair: Pair) -> None:
    since = marks(pair)
    wanted = {"set.colour": "green", "set.ünï": "世界"}
    await pair.source.set_attributes(wanted)
    await attributes_seen(pair, since, "set.", wanted)


@case("attributes, merged")
async def test_attributes_are_merged(pair: Pair) -> None:
    since = marks(pair)
    await pair.source.set_attributes({"merged.a": "1", "merged.b": "2"})
    await attributes_seen(pair, since, "merged.", {"merged.a": "1", "merged.b": "2"})
    await pair.source.set_attributes({"merged.b": "3", "merged.c": "4"})
    await attributes_seen(pair, since, "merged.", {"merged.a": "1", "merged.b": "3", "merged.c": "4"})


@case("attributes, deleted")
async def test_attributes_are_deleted(pair: Pair) -> None:
    since = marks(pair)
    await pair.source.set_attributes({"deleted.a": "1", "deleted.b": "2"})
    await attributes_seen(pair, since, "deleted.", {"deleted.a": "1", "deleted.b": "2"})
    await pair.source.set_attributes({"deleted.a": ""})
    await attributes_seen(pair, since, "deleted.", {"deleted.b": "2"})


@case("metadata and name")
async def test_metadata_and_name_are_changed(pair: Pair) -> None:
    since, identity = marks(pair), pair.source.identity
    await pair.source.set_metadata(SHORT)
    await pair.source.set_name("Ada")
    for each in (pair.source, pair.sink):
        mark = since[each.identity]
        await seen(each, "metadata_changed", mark, lambda it: (it.identity, it.metadata) == (identity, SHORT))
        await seen(each, "name_changed", mark, lambda it: (it.identity, it.name) == (identity, "Ada"))
        about = await each.profile(identity)
        assert (about["metadata"], about["name"]) == (SHORT, "Ada")


async def publishing_seen(pair: Pair, since: dict[str, int], wanted: bool) -> None:
    """Waits until both see whether the source may publish data."""
    identity = pair.source.identity
    for each in (pair.source, pair.sink):
        if each.kind != "node":
            mark = since[each.identity]
            await seen(
                each,
                "permissions_changed",
                mark,
                lambda it: (it.identity, it.publishes) == (identity, wanted),
            )
        async with asyncio.timeout(10):
            # rtc-node tells nobody that permissions have changed.
            while (await each.profile(identity))["publishes"] != wanted:
                assert each.kind == "node"
                await asyncio.sleep(POLL_SECONDS)


async def all_forbidden(server: Server, count: float) -> None:
    """Waits until packets have come: later ones may be passed on. Another server does not tell."""

    async def came() -> bool:
        return await server.metric(FORBIDDEN) >= count

    if server.log:
        await server.until(came, 10, f"{count} packets that it has dropped as forbidden")


@case("permission taken")
async def test_a_permission_is_taken_and_given_back(
    pair: Pair, server: Server, service: api.room_service.RoomService
) -> None:
    since = marks(pair)
    await pair.permit(service, publishes=False)
    await publishing_seen(pair, since, False)
    # A library may refuse by itself what the server would drop.
    forbidden = await server.metric(FORBIDDEN) if server.log else 0
    refusal = None
    try:
        await pair.source.send_packets(Packets(5, topic="forbidden"))
    except Refused as refused:
        refusal = f"{refused}".lower()
    if refusal is None:
        await all_forbidden(server, forbidden + 5)
    else:
        assert "may not publish data" in refusal
    since = marks(pair)
    await pair.permit(service, publishes=True)
    await publishing_seen(pair, since, True)
    await pair.settled(pair.sink)
    assert pair.sink.packets(pair.source.identity, "forbidden") == []

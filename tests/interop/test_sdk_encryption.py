"""End-to-end encryption between our own client and official ones (protocol §5.8)."""

from collections.abc import Awaitable, Callable

import pytest

from conftest import Join
from harness.client import Client, Joining, Refused
from harness.flow import WITH_OURS, Stream, flowing
from harness.keys import Change, Keys
from harness.rust_client import RustClient
from harness.server import Server

JoinTwo = Callable[..., Awaitable[tuple[Client, Client]]]

OFFICIAL = pytest.mark.parametrize("official", ["py", "js"])
PAIRS = pytest.mark.parametrize(("source", "sink"), WITH_OURS)
SIZES = (1, 1_000, 5_000, 75 * 1024)


async def delivered(publisher: Client, watcher: Client) -> None:
    """Frames arrive whole, one after the other: of two that Python pushes at once, one may reach nobody."""
    await flowing(publisher, watcher, "pose")
    for sequence, size in enumerate(SIZES, start=1):
        await publisher.push("pose", sequence, size, 7)
        seen = await watcher.frame("pose", within=5, sequence=sequence, size=size)
        assert (seen.intact, seen.timestamp) == (True, 7)


async def nothing_arrives(publisher: Client, watcher: Client, witness: Client) -> None:
    """The witness sees frames; the watcher none of them. Python without keys gives out what is sealed."""
    since = watcher.log.mark()
    async with Stream.running(publisher, "pose") as stream:
        begin = stream.sequence
        while stream.sequence < begin + 25:
            await stream.arrives(witness, within=10)
    assert [each for each in watcher.frames("pose", since) if each.intact] == []


@pytest.fixture
def join_with_own_keys(server: Server, room: str, make: Callable[[str, str], Client]) -> JoinTwo:
    """Joins two clients with keys of their own that know each other's."""

    async def enter(source: str, sink: str) -> tuple[Client, Client]:
        publisher, watcher = make(source, "publisher"), make(sink, "watcher")
        for client, other in ((publisher, watcher), (watcher, publisher)):
            own, others = (client.identity, f"of {client.identity}"), {other.identity: f"of {other.identity}"}
            token = server.login.token(client.identity, room)
            await client.connect(Joining(server.url, token, keys=Keys.each_their_own(own, others)))
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        return publisher, watcher

    return enter


@pytest.fixture
def join_with_shared_key(join: Join) -> JoinTwo:
    """Joins two clients with the same passphrase."""

    async def enter(source: str, sink: str, index: int = 0) -> tuple[Client, Client]:
        keys = Keys.shared("correct horse battery staple", index)
        publisher = await join(source, "publisher", keys=keys)
        watcher = await join(sink, "watcher", keys=keys)
        await publisher.publish("pose")
        await watcher.watch(publisher.identity, "pose")
        return publisher, watcher

    return enter


@PAIRS
async def test_keys_of_the_participants_own(join_with_own_keys: JoinTwo, source: str, sink: str) -> None:
    await delivered(*await join_with_own_keys(source, sink))


@PAIRS
@pytest.mark.parametrize("index", [1, 15])
async def test_a_shared_key_at_another_index(
    join_with_shared_key: JoinTwo, source: str, sink: str, index: int
) -> None:
    await delivered(*await join_with_shared_key(source, sink, index))


@PAIRS
async def test_a_key_is_rotated_while_frames_flow(
    join_with_shared_key: JoinTwo, source: str, sink: str
) -> None:
    publisher, watcher = await join_with_shared_key(source, sink)
    async with Stream.running(publisher, "pose") as stream:
        for index, passphrase in [(1, "the second"), (2, "the third")]:
            await stream.arrives(watcher, within=10)
            for client in (watcher, publisher):
                await client.change_key(Change(index, passphrase))
            await stream.arrives(watcher, within=10)
    assert all(each.intact for each in watcher.frames("pose"))
    assert watcher.log.find("undecryptable") == []


@pytest.mark.parametrize(("source", "sink"), [("rs", "py"), ("py", "rs"), ("js", "rs")])
async def test_a_shared_key_that_its_publisher_ratchets_is_followed(
    join_with_shared_key: JoinTwo, source: str, sink: str
) -> None:
    publisher, watcher = await join_with_shared_key(source, sink)
    async with Stream.running(publisher, "pose") as stream:
        for step in (1, 2, 3):
            await stream.arrives(watcher, within=10)
            await publisher.change_key(Change(0))
            # Browsers ratchet a moment after they are told to.
            while isinstance(watcher, RustClient) and (await watcher.key_stats())["ratcheted"] < step:
                await stream.arrives(watcher, within=10)
            await stream.arrives(watcher, within=10)
    assert watcher.log.find("undecryptable") == []


@pytest.mark.parametrize(("source", "sink"), [("rs", "py"), ("py", "rs"), ("js", "rs")])
async def test_a_key_of_its_own_that_a_publisher_ratchets_is_followed(
    join_with_own_keys: JoinTwo, source: str, sink: str
) -> None:
    publisher, watcher = await join_with_own_keys(source, sink)
    async with Stream.running(publisher, "pose") as stream:
        await stream.arrives(watcher, within=10)
        await publisher.change_key(Change(0, identity=publisher.identity))
        await stream.arrives(watcher, within=10)


async def test_a_browser_follows_a_ratchet_by_hand(join_with_shared_key: JoinTwo) -> None:
    publisher, watcher = await join_with_shared_key("rs", "js")
    async with Stream.running(publisher, "pose") as stream:
        await stream.arrives(watcher, within=10)
        for client in (publisher, watcher):
            await client.change_key(Change(0))
        await stream.arrives(watcher, within=10)


@OFFICIAL
@pytest.mark.parametrize(
    ("keys", "error"), [(Keys.shared("wrong"), "WrongKey"), (Keys.shared("elsewhere", 3), "NoKey")]
)
async def test_a_wrong_key_delivers_nothing_and_is_told(
    join: Join, official: str, keys: Keys, error: str
) -> None:
    right = Keys.shared("right")
    publisher, witness = [await join(official, name, keys=right) for name in ("publisher", "witness")]
    watcher = await join("rs", "watcher", keys=keys)
    assert isinstance(watcher, RustClient)
    await publisher.publish("pose")
    for client in (watcher, witness):
        await client.watch(publisher.identity, "pose")
    await nothing_arrives(publisher, watcher, witness)
    told = await watcher.log.wait("undecryptable", publisher=publisher.identity, name="pose")
    assert told.error == error
    stats, track = await watcher.key_stats(), await watcher.describe(publisher.identity, "pose")
    assert (stats["decrypted"], track["frames_delivered"]) == (0, 0)
    assert stats["wrong_key"] + stats["no_key"] == track["undecryptable"] >= 25
    assert len(watcher.log.find("undecryptable")) == 1
    await watcher.change_key(Change(0, "right"))
    await flowing(publisher, watcher, "pose")


@OFFICIAL
@pytest.mark.parametrize("keys", [Keys.shared("wrong"), None], ids=["wrong", "none"])
async def test_without_the_key_official_clients_get_nothing_of_ours(
    join: Join, official: str, keys: Keys | None
) -> None:
    right = Keys.shared("right")
    publisher, witness = (
        await join("rs", "publisher", keys=right),
        await join(official, "witness", keys=right),
    )
    watcher = await join(official, "watcher", keys=keys)
    await publisher.publish("pose")
    for client in (watcher, witness):
        await client.watch(publisher.identity, "pose")
    await nothing_arrives(publisher, watcher, witness)


@OFFICIAL
async def test_without_keys_an_encrypted_track_is_refused(join: Join, official: str) -> None:
    publisher = await join(official, "publisher", keys=Keys.shared("right"))
    watcher = await join("rs", "watcher")
    await publisher.publish("pose")
    announced = await watcher.announced(publisher.identity, "pose")
    assert announced.encrypted
    with pytest.raises(Refused) as caught:
        await watcher.subscribe(publisher.identity, "pose")
    assert caught.value.reason == "NoDecryptor"

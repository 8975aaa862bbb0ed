"""What the server refuses, and how official clients hear of it (protocol §1.3, §5.1)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Join
from harness.client import Client, Joining, Refused
from harness.flow import Stream, flowing
from harness.server import Server, serving
from harness.tokens import Login

KINDS = pytest.mark.parametrize("kind", ["py", "js", "rs"])
OFFICIAL = pytest.mark.parametrize("kind", ["py", "js"])
"""Clients that do not wait for an answer when they subscribe: there is none to what may not be seen."""
MODES = pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
Make = Callable[[str, str], Client]


async def refused_to_publish(client: Client, name: str) -> str:
    """The library's words for it, without spaces and capitals."""
    with pytest.raises(Refused) as caught:
        await client.publish(name)
    return plain(f"{caught.value}")


def plain(words: str) -> str:
    """`NotAllowed`, `not allowed` and `NOT_ALLOWED` are one reason."""
    return "".join(letter for letter in words.lower() if letter.isalnum())


NOT_ALLOWED = ("notallowed", "notauthorized", "unauthorized", "permission")
TAKEN = ("duplicatename", "alreadypublished", "alreadytaken", "samename", "nameisalready")


def says(words: str, meanings: tuple[str, ...]) -> bool:
    return any(meaning in words for meaning in meanings)


@KINDS
async def test_without_the_grant_nothing_is_published(join: Join, kind: str) -> None:
    client = await join(kind, "mute", can_publish_data=False)
    words = await refused_to_publish(client, "pose")
    assert says(words, NOT_ALLOWED), words


@KINDS
async def test_a_name_is_published_once(join: Join, kind: str) -> None:
    client = await join(kind, "twice")
    await client.publish("pose")
    words = await refused_to_publish(client, "pose")
    assert says(words, TAKEN), words
    await client.publish("pose/2")


@KINDS
async def test_names_have_bounds(join: Join, kind: str) -> None:
    client = await join(kind, "wordy")
    await refused_to_publish(client, "n" * 257)
    await client.publish("n" * 256)


@pytest.mark.own_server
@KINDS
async def test_data_tracks_can_be_turned_off(tmp_path: Path, join: Join, kind: str) -> None:
    async with serving(tmp_path, enable_data_tracks=False) as server:
        client = await join(kind, "hopeful", at=server)
        words = await refused_to_publish(client, "pose")
        await client.close()
    assert says(words, NOT_ALLOWED), words


@pytest.mark.own_server
@KINDS
async def test_a_token_can_name_the_tracks_that_may_be_published(
    server: Server, room: str, make: Make, kind: str
) -> None:
    client = make(kind, "camera")
    token = server.login.token(client.identity, room)
    token = server.login.with_claims(token, trackyard={"publishTracks": ["cam/**"]})
    await client.connect(Joining(server.url, token))
    await client.publish("cam/front/raw")
    words = await refused_to_publish(client, "pose")
    assert says(words, NOT_ALLOWED), words


@pytest.mark.own_server
@OFFICIAL
async def test_a_token_can_name_the_tracks_that_may_be_received(
    server: Server, room: str, make: Make, join: Join, kind: str
) -> None:
    publisher = await join("py", "publisher")
    for name in ("cam/front", "pose"):
        await publisher.publish(name)
    watcher = make(kind, "watcher")
    token = server.login.token(watcher.identity, room)
    token = server.login.with_claims(token, trackyard={"subscribeTracks": ["cam/*"]})
    await watcher.connect(Joining(server.url, token))
    await watcher.watch(publisher.identity, "cam/front")
    if watcher.log.find("track_published", name="pose"):
        await watcher.subscribe(publisher.identity, "pose")
    async with Stream.running(publisher, "pose") as hidden, Stream.running(publisher, "cam/front") as shown:
        while hidden.sequence < 20:
            await shown.arrives(watcher, within=10)
    assert watcher.frames("pose") == []


@OFFICIAL
async def test_without_the_grant_nothing_is_received(join: Join, kind: str) -> None:
    publisher = await join("py", "publisher")
    await publisher.publish("pose")
    deaf = await join(kind, "deaf", can_subscribe=False)
    witness = await join("py", "witness")
    await witness.watch(publisher.identity, "pose")
    await flowing(publisher, witness, "pose")
    if deaf.log.find("track_published", name="pose"):
        await deaf.subscribe(publisher.identity, "pose")
    async with Stream.running(publisher, "pose") as stream:
        while stream.sequence < 50:
            await stream.arrives(witness, within=10)
    assert deaf.frames("pose") == []


def wrong_secret(login: Login, identity: str, room: str) -> str:
    return Login(login.key, login.secret + "!").token(identity, room)


def unknown_key(login: Login, identity: str, room: str) -> str:
    return Login(login.key + "-unknown", login.secret).token(identity, room)


def expired(login: Login, identity: str, room: str) -> str:
    return login.expired(identity, room)


def without_join(login: Login, identity: str, room: str) -> str:
    return login.token(identity, room, room_join=False)


def nonsense(_login: Login, _identity: str, _room: str) -> str:
    return "not.a.token"


@pytest.mark.parametrize("forge", [wrong_secret, unknown_key, expired, without_join, nonsense])
@MODES
@KINDS
async def test_a_bad_token_is_refused(
    server: Server, room: str, make: Make, kind: str, single: bool, forge: Callable[[Login, str, str], str]
) -> None:
    client = make(kind, "stranger")
    token = forge(server.login, client.identity, room)
    with pytest.raises(Refused) as caught:
        await client.connect(Joining(server.url, token, single))
    words = f"{caught.value}"
    assert says(plain(words), (*NOT_ALLOWED, "401")), words
    assert token not in words


@pytest.mark.own_server
@MODES
@KINDS
async def test_a_room_that_does_not_exist_is_not_joined(
    tmp_path: Path, room: str, make: Make, kind: str, single: bool
) -> None:
    async with serving(tmp_path, room={"auto_create": False}) as server:
        client = make(kind, "early")
        with pytest.raises(Refused) as caught:
            await client.connect(Joining(server.url, server.login.token(client.identity, room), single))
    assert "requested room does not exist" in caught.value.message


FULL = {"py": "500", "js": "could not establish signal connection", "rs": "the room is full"}
"""Official clients read a reason from answers to `validate` alone, where a full room is not looked for."""


@pytest.mark.own_server
@MODES
@KINDS
async def test_a_full_room_refuses_and_has_a_place_again_when_somebody_leaves(
    tmp_path: Path, join: Join, kind: str, single: bool
) -> None:
    async with serving(tmp_path, room={"max_participants": 2}) as server:
        witness, leaver = [await join(each, each, at=server, single=single) for each in ("py", kind)]
        await witness.log.wait("participant_connected", identity=leaver.identity)
        with pytest.raises(Refused) as caught:
            await join(kind, "third", at=server, single=single)
        assert FULL[kind] in f"{caught.value}"
        await leaver.close()
        await witness.log.wait("participant_disconnected", identity=leaver.identity)
        third = await join(kind, "third", at=server, single=single)
        assert await third.participants() == [witness.identity]
        for each in (witness, third):
            await each.close()


@MODES
@pytest.mark.parametrize(
    ("first", "second"), [("py", "js"), ("js", "py"), ("js", "js"), ("rs", "py"), ("js", "rs")]
)
async def test_a_second_participant_of_the_same_identity_takes_over(
    server: Server, room: str, make: Make, first: str, second: str, single: bool
) -> None:
    old, new = make(first, "twin"), make(second, "twin")
    token = server.login.token("twin", room)
    await old.connect(Joining(server.url, token, single))
    await old.publish("pose")
    await new.connect(Joining(server.url, token, single))
    gone = await old.log.wait("disconnected")
    assert gone.reason == "DUPLICATE_IDENTITY"
    await new.publish("pose")
    assert await new.participants() == []

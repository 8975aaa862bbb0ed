"""LiveKit's own server SDKs drive every method of the server API (protocol §10)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest
from google.protobuf.message import Message
from livekit import api
from livekit.protocol import room as messages
from livekit.protocol.models import DataPacket

from harness import payload
from harness.client import Joining, Refused
from harness.node import Node
from harness.pair import Make
from harness.room_service import NodeService, PythonService, RoomService, ServerRefused
from harness.server import Server
from harness.talk import Talker

TABLE = "The server API, driven by official server SDKs"
LIBRARIES = {"py": "livekit-api, protobuf", "node": "livekit-server-sdk, JSON"}
METADATA_MAX = 512 * 1024
ATTRIBUTES_MAX = 64 * 1024
NAME_MAX = 256
RPC_PAYLOAD_MAX = 15_360

pytestmark = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)


def case(method: str) -> pytest.MarkDecorator:
    """A column of the table of libraries."""
    return pytest.mark.case(TABLE, "library", method)


@pytest.fixture(scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def service_with(
    session: aiohttp.ClientSession, server_sdk: Node, server: Server, library: str
) -> Callable[[str | None], RoomService]:
    """Makes the library's client; with a token it uses that alone."""

    def build(token: str | None) -> RoomService:
        if library == LIBRARIES["py"]:
            return PythonService(session, server, token)
        return NodeService(server_sdk, server, token)

    return build


@pytest.fixture
def service(service_with: Callable[[str | None], RoomService]) -> RoomService:
    """The library's client, which makes its tokens itself."""
    return service_with(None)


@pytest.fixture
async def enter(server: Server, room: str, talker: Make) -> AsyncIterator[Callable[[str, str], Talker]]:
    """Joins the room of the test: `await enter("js", "bob")`."""
    made: list[Talker] = []

    async def join(kind: str, name: str) -> Talker:
        client = talker(kind, name)
        made.append(client)
        await client.connect(Joining(server.url, server.login.token(client.identity, room)))
        return client

    yield join
    for client in made:
        await client.close()


@contextlib.contextmanager
def refused(code: str, status: int, words: str = "") -> Iterator[None]:
    """The server refuses in these terms."""
    with pytest.raises(ServerRefused) as caught:
        yield
    assert (caught.value.code, caught.value.status) == (code, status), caught.value
    assert words in caught.value.message


@case("CreateRoom")
async def test_rooms_are_created(service: RoomService, room: str) -> None:
    wanted = {"empty_timeout": 60, "departure_timeout": 5, "max_participants": 3, "metadata": "first"}
    created = await service.ask("CreateRoom", api.CreateRoomRequest(name=room, **wanted))
    assert created["sid"].startswith("RM_")
    assert (created["name"], created["metadata"]) == (room, "first")
    assert (created["emptyTimeout"], created["departureTimeout"], created["maxParticipants"]) == (60, 5, 3)
    assert int(created["creationTime"]) > 0
    again = await service.ask("CreateRoom", api.CreateRoomRequest(name=room, metadata="second"))
    assert (again["sid"], again["metadata"]) == (created["sid"], "second")
    plain = await service.ask("CreateRoom", api.CreateRoomRequest(name=f"{room}-plain"))
    assert (plain["emptyTimeout"], plain["departureTimeout"]) == (300, 20)
    with refused("invalid_argument", 400):
        await service.ask("CreateRoom", api.CreateRoomRequest(name="r" * (NAME_MAX + 1)))
    with refused("invalid_argument", 400):
        await service.ask("CreateRoom", api.CreateRoomRequest(name=room, metadata="m" * (METADATA_MAX + 1)))


@case("CreateRoom")
async def test_a_room_admits_no_more_than_it_was_created_for(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    await service.ask("CreateRoom", api.CreateRoomRequest(name=room, max_participants=1))
    first = await enter("py", "first")
    with pytest.raises(Refused):
        await enter("py", "second")
    await service.ask("RemoveParticipant", one(room, first.identity))
    await enter("py", "third")


@case("ListRooms")
async def test_rooms_are_listed(service: RoomService, room: str, enter: Callable[[str, str], Talker]) -> None:
    names = [room, f"{room}-other"]
    for name in names:
        await service.ask("CreateRoom", api.CreateRoomRequest(name=name, metadata=f"of {name}"))
    await enter("py", "one")
    every = await service.ask("ListRooms", api.ListRoomsRequest())
    assert set(names) <= {each["name"] for each in every["rooms"]}
    asked = api.ListRoomsRequest(names=[room, "no such room"])
    (one,) = (await service.ask("ListRooms", asked))["rooms"]
    assert (one["name"], one["metadata"], one["numParticipants"]) == (room, f"of {room}", 1)
    none = await service.ask("ListRooms", api.ListRoomsRequest(names=["no such room"]))
    assert none.get("rooms", []) == []


@case("DeleteRoom")
async def test_a_room_is_deleted(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guests = [await enter(kind, "guest") for kind in ("py", "js")]
    await service.ask("DeleteRoom", api.DeleteRoomRequest(room=room))
    for guest in guests:
        await guest.log.wait("disconnected", reason="ROOM_DELETED")
    with refused("not_found", 404, "requested room does not exist"):
        await service.ask("DeleteRoom", api.DeleteRoomRequest(room=room))


def one(room: str, identity: str) -> Message:
    return api.RoomParticipantIdentity(room=room, identity=identity)


@case("ListParticipants")
async def test_participants_are_listed(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guests = [await enter(kind, "guest") for kind in ("py", "js")]
    listed = await service.ask("ListParticipants", api.ListParticipantsRequest(room=room))
    assert {each["identity"] for each in listed["participants"]} == {each.identity for each in guests}
    empty = await service.ask("ListParticipants", api.ListParticipantsRequest(room=f"not {room}"))
    assert empty.get("participants", []) == []


@case("GetParticipant")
async def test_a_participant_is_shown(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest = await enter("py", "guest")
    shown = await service.ask("GetParticipant", one(room, guest.identity))
    assert (shown["identity"], shown["state"]) == (guest.identity, "ACTIVE")
    assert shown["sid"].startswith("PA_")
    assert int(shown["joinedAt"]) > 0
    assert shown["permission"]["canPublishData"]
    with refused("not_found", 404, "participant does not exist"):
        await service.ask("GetParticipant", one(room, "nobody"))
    with refused("not_found", 404):
        await service.ask("GetParticipant", one(f"not {room}", guest.identity))


@case("RemoveParticipant")
async def test_a_participant_is_removed(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guests = {kind: await enter(kind, "guest") for kind in ("py", "js")}
    witness = await enter("py", "witness")
    for guest in guests.values():
        await witness.knows(guest)
        await service.ask("RemoveParticipant", one(room, guest.identity))
        await guest.log.wait("disconnected", reason="PARTICIPANT_REMOVED")
        await witness.log.wait("participant_disconnected", identity=guest.identity)
    with refused("not_found", 404):
        await service.ask("RemoveParticipant", one(room, guests["py"].identity))


@case("MutePublishedTrack")
async def test_a_track_that_is_not_there_is_not_muted(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest = await enter("py", "guest")
    about = {"room": room, "track_sid": "TR_nothing"}
    request = api.MuteRoomTrackRequest(identity=guest.identity, muted=True, **about)
    assert not (await service.ask("MutePublishedTrack", request)).get("track")
    with refused("failed_precondition", 412):
        await service.ask("MutePublishedTrack", api.MuteRoomTrackRequest(identity=guest.identity, **about))
    with refused("not_found", 404):
        await service.ask(
            "MutePublishedTrack", api.MuteRoomTrackRequest(identity="nobody", muted=True, **about)
        )


@case("UpdateParticipant")
async def test_a_participant_is_updated(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest, witness = await enter("js", "guest"), await enter("py", "witness")
    await witness.knows(guest)
    changes = {"name": "Ada", "metadata": "painter", "attributes": {"a": "1", "b": "2"}}
    request = {"room": room, "identity": guest.identity}
    updated = await service.ask("UpdateParticipant", api.UpdateParticipantRequest(**request, **changes))
    assert {key: updated[key] for key in changes} == changes
    for each in (guest, witness):
        for kind, key in (("name", "name"), ("metadata", "metadata"), ("attributes", "attributes")):
            await each.log.wait(f"{kind}_changed", identity=guest.identity, **{key: changes[key]})
    fewer = api.UpdateParticipantRequest(**request, attributes={"a": "", "c": "3"})
    assert (await service.ask("UpdateParticipant", fewer))["attributes"] == {"b": "2", "c": "3"}
    for each in (guest, witness):
        await each.log.wait("attributes_changed", identity=guest.identity, attributes={"b": "2", "c": "3"})


@case("UpdateParticipant")
async def test_updates_have_limits(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest = await enter("py", "guest")
    request = {"room": room, "identity": guest.identity}
    for changes in (
        {"metadata": "m" * (METADATA_MAX + 1)},
        {"name": "n" * (NAME_MAX + 1)},
        {"attributes": {"a": "v" * (ATTRIBUTES_MAX + 1)}},
    ):
        with refused("invalid_argument", 400):
            await service.ask("UpdateParticipant", api.UpdateParticipantRequest(**request, **changes))
    with refused("not_found", 404):
        await service.ask(
            "UpdateParticipant", api.UpdateParticipantRequest(room=room, identity="nobody", name="x")
        )


@case("UpdateParticipant")
async def test_a_permission_is_replaced(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest, witness = await enter("js", "guest"), await enter("py", "witness")
    await witness.knows(guest)
    permission = api.ParticipantPermission(can_subscribe=True, can_publish=True)
    request = api.UpdateParticipantRequest(room=room, identity=guest.identity, permission=permission)
    updated = await service.ask("UpdateParticipant", request)
    assert not updated["permission"].get("canPublishData")
    assert updated["permission"]["canSubscribe"]
    for each in (guest, witness):
        await each.log.wait("permissions_changed", identity=guest.identity, publishes=False)


@case("UpdateSubscriptions")
async def test_subscriptions_are_updated(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest = await enter("py", "guest")
    request = {"room": room, "identity": guest.identity, "track_sids": ["TR_nothing"]}
    for subscribe in (True, False):
        answer = await service.ask(
            "UpdateSubscriptions", api.UpdateSubscriptionsRequest(**request, subscribe=subscribe)
        )
        assert answer == {}
    with refused("not_found", 404):
        await service.ask(
            "UpdateSubscriptions", api.UpdateSubscriptionsRequest(**request | {"identity": "nobody"})
        )


@case("SendData")
async def test_data_is_sent(service: RoomService, room: str, enter: Callable[[str, str], Talker]) -> None:
    guests = [await enter(kind, "guest") for kind in ("py", "js", "node")]
    for sequence, kind in enumerate(("RELIABLE", "LOSSY")):
        data = payload.make(sequence, 1_000)
        number = DataPacket.Kind.Value(kind)
        await service.ask("SendData", api.SendDataRequest(room=room, data=data, kind=number, topic="all"))
        for guest in guests:
            about = {"from": "", "topic": "all", "sequence": sequence, "intact": True}
            await guest.log.wait("packet", reliable=kind == "RELIABLE", **about)
    data = payload.make(7, 100)
    for guest in guests:
        await service.ask(
            "SendData",
            api.SendDataRequest(room=room, data=data, topic="one", destination_identities=[guest.identity]),
        )
    await service.ask("SendData", api.SendDataRequest(room=room, data=data, topic="end"))
    for guest in guests:
        await guest.log.wait("packet", topic="end")
        assert len(guest.log.find("packet", topic="one")) == 1
    for size in (1, 15, 17):
        with refused("invalid_argument", 400):
            await service.raw("SendData", api.SendDataRequest(room=room, data=data, nonce=bytes(size)))


@case("SendData")
async def test_data_for_a_room_that_is_not_there(service: RoomService, room: str) -> None:
    with refused("not_found", 404):
        await service.ask("SendData", api.SendDataRequest(room=room, data=b"x"))


@case("UpdateRoomMetadata")
async def test_the_metadata_of_a_room_are_changed(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guests = [await enter(kind, "guest") for kind in ("py", "js", "node")]
    for metadata in ("first", "grüße, 世界", ""):
        request = api.UpdateRoomMetadataRequest(room=room, metadata=metadata)
        changed = await service.ask("UpdateRoomMetadata", request)
        assert (changed["name"], changed.get("metadata", "")) == (room, metadata)
        for guest in guests:
            await guest.log.wait("room_metadata_changed", metadata=metadata)
    with refused("invalid_argument", 400):
        await service.ask(
            "UpdateRoomMetadata",
            api.UpdateRoomMetadataRequest(room=room, metadata="m" * (METADATA_MAX + 1)),
        )
    with refused("not_found", 404):
        await service.ask(
            "UpdateRoomMetadata", api.UpdateRoomMetadataRequest(room=f"not {room}", metadata="x")
        )


@case("Forward, Move")
@pytest.mark.parametrize("method", ["Forward", "Move"])
async def test_participants_stay_where_they_are(
    service: RoomService, room: str, enter: Callable[[str, str], Talker], method: str
) -> None:
    guest = await enter("py", "guest")
    request = getattr(messages, f"{method}ParticipantRequest")
    about = {"room": room, "identity": guest.identity}
    with refused("unimplemented", 501):
        await service.ask(f"{method}Participant", request(**about, destination_room=f"{room}-other"))
    with refused("invalid_argument", 400):
        await service.ask(f"{method}Participant", request(**about, destination_room=room))


def call(room: str, to: Talker, method: str, **about: object) -> Message:
    return messages.PerformRpcRequest(room=room, destination_identity=to.identity, method=method, **about)


@case("PerformRpc")
@pytest.mark.parametrize("kind", ["py", "js", "node"])
async def test_the_server_calls_a_participant(
    service: RoomService, room: str, enter: Callable[[str, str], Talker], kind: str
) -> None:
    guest = await enter(kind, "guest")
    for text in ("", "grüße, 世界", "x" * 10_000):
        answer = await service.raw("PerformRpc", call(room, guest, "echo", payload=text))
        assert answer.get("payload", "") == text
    with refused("invalid_argument", 400, "1400"):
        await service.raw("PerformRpc", call(room, guest, "no such method"))
    wanted = json.dumps({"code": 2001, "message": "out of paint", "data": "none left"})
    for words in ("2001", "out of paint", "none left"):
        with refused("internal", 500, words):
            await service.raw("PerformRpc", call(room, guest, "fail", payload=wanted))
    with refused("canceled", 408, "1502"):
        await service.raw("PerformRpc", call(room, guest, "never", response_timeout_ms=1_000))
    with refused("invalid_argument", 400, "1402"):
        await service.raw("PerformRpc", call(room, guest, "echo", payload="x" * (RPC_PAYLOAD_MAX + 1)))


@case("PerformRpc")
async def test_calls_that_reach_nobody(
    service: RoomService, room: str, enter: Callable[[str, str], Talker]
) -> None:
    guest = await enter("py", "guest")
    with refused("invalid_argument", 400):
        await service.raw("PerformRpc", messages.PerformRpcRequest(room=room, method="echo"))
    with refused("not_found", 404):
        nobody = messages.PerformRpcRequest(room=room, destination_identity="nobody", method="echo")
        await service.raw("PerformRpc", nobody)
    with refused("not_found", 404):
        await service.raw("PerformRpc", call(f"not {room}", guest, "echo"))
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(_refusal(service, call(room, guest, "never")))
        await guest.close()
    assert (asked.result().code, asked.result().status) == ("unavailable", 503)


async def _refusal(service: RoomService, request: Message) -> ServerRefused:
    with pytest.raises(ServerRefused) as caught:
        await service.raw("PerformRpc", request)
    return caught.value


@case("without the grant")
async def test_every_method_wants_its_grant(
    service_with: Callable[[str | None], RoomService],
    server: Server,
    room: str,
    enter: Callable[[str, str], Talker],
) -> None:
    guest = await enter("py", "guest")
    identity = guest.identity
    about = {"room": room, "identity": identity}
    requests = {
        "CreateRoom": api.CreateRoomRequest(name=room),
        "ListRooms": api.ListRoomsRequest(),
        "DeleteRoom": api.DeleteRoomRequest(room=room),
        "ListParticipants": api.ListParticipantsRequest(room=room),
        "GetParticipant": one(room, identity),
        "RemoveParticipant": one(room, identity),
        "MutePublishedTrack": api.MuteRoomTrackRequest(**about, track_sid="TR_x", muted=True),
        "UpdateParticipant": api.UpdateParticipantRequest(**about, name="x"),
        "UpdateSubscriptions": api.UpdateSubscriptionsRequest(**about, track_sids=["TR_x"]),
        "SendData": api.SendDataRequest(room=room, data=b"x"),
        "UpdateRoomMetadata": api.UpdateRoomMetadataRequest(room=room, metadata="x"),
        "ForwardParticipant": api.ForwardParticipantRequest(**about, destination_room="x"),
        "MoveParticipant": api.MoveParticipantRequest(**about, destination_room="x"),
    }
    stranger = server.login.token("stranger", room)
    elsewhere = server.login.token("stranger", f"not {room}", room_admin=True)
    expired = server.login.expired("stranger", room)
    # A token that cannot be verified is refused before anything is asked, in plain words.
    for token, code in ((stranger, "unauthenticated"), (elsewhere, "unauthenticated"), (expired, "unknown")):
        service = service_with(token)
        for method, request in requests.items():
            with refused(code, 401):
                await service.ask(method, request)
        with refused(code, 401):
            await service.raw("PerformRpc", call(room, guest, "echo"))
    assert guest.log.find("disconnected") == []

"""LiveKit's own receivers verify the webhooks that the server sends (protocol §10.1)."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import jwt
import pytest
from livekit import api

from harness.client import Client, Joining
from harness.node import Node, Refused
from harness.server import KEY, SECRET, Server, serving
from harness.tokens import Login
from harness.webhook_sink import WebhookSink

LOGIN = Login(KEY, SECRET)
LEFT_MAX = 20.0
SOON = {"empty_timeout": 1, "departure_timeout": 1}

pytestmark = pytest.mark.own_server
MakeClient = Callable[[str, str], Client]


@pytest.fixture(scope="module")
async def sink() -> AsyncIterator[WebhookSink]:
    """Where the server of most of these tests sends its webhooks."""
    async with WebhookSink.running(LOGIN) as sink:
        yield sink


@pytest.fixture(scope="module")
async def telling(sink: WebhookSink, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server that sends webhooks, and keeps rooms for a second only."""
    webhook = {"api_key": KEY, "urls": [sink.url]}
    async with serving(tmp_path_factory.mktemp("webhooks"), webhook=webhook, room=SOON) as server:
        yield server


async def entered(make: MakeClient, server: Server, kind: str, room: str) -> Client:
    client = make(kind, "guest")
    await client.connect(Joining(server.url, server.login.token(client.identity, room)))
    return client


async def test_a_room_is_told_of_from_its_start_to_its_end(
    make: MakeClient, telling: Server, sink: WebhookSink, room: str
) -> None:
    guest = await entered(make, telling, "py", room)
    joined = await sink.wait("participant_joined", room, identity=guest.identity)
    assert joined.participant["state"] == "ACTIVE"
    assert joined.participant["sid"] == await guest.sid()
    await guest.close()
    left = await sink.wait("participant_left", room, identity=guest.identity, within=LEFT_MAX)
    assert left.participant["disconnectReason"] == "CLIENT_INITIATED"
    finished = await sink.wait("room_finished", room, within=LEFT_MAX)
    told = sink.of_room(room)
    names = ["room_started", "participant_joined", "participant_left", "room_finished"]
    assert [each.kind for each in told] == names
    assert {each.room["sid"] for each in told} == {finished.room["sid"]}
    assert finished.room["sid"].startswith("RM_")
    assert len({each.id for each in told}) == len(told)
    assert all(each.id.startswith("EV_") and int(each.createdAt) > 0 for each in told)
    assert sink.log.find("forged") == []


@pytest.mark.parametrize("kind", ["py", "js"])
async def test_data_tracks_are_told_of(
    make: MakeClient, telling: Server, sink: WebhookSink, room: str, kind: str
) -> None:
    guest = await entered(make, telling, kind, room)
    sid = await guest.publish("pose")
    published = await sink.wait("track_published", room, sid=sid)
    assert (published.track["name"], published.track["type"]) == ("pose", "DATA")
    assert published.participant["identity"] == guest.identity
    await guest.unpublish("pose")
    await sink.wait("track_unpublished", room, sid=sid)
    # What ends with its publisher is told of as well, and before the publisher's own end.
    other = await guest.publish("last")
    await sink.wait("track_published", room, sid=other)
    await guest.close()
    await sink.wait("participant_left", room, within=LEFT_MAX)
    kinds = [each.kind for each in sink.of_room(room) if each.kind != "room_finished"]
    tracks = ["track_published", "track_unpublished"]
    assert kinds == ["room_started", "participant_joined", *tracks, *tracks, "participant_left"]


async def test_a_room_that_is_created_and_deleted(telling: Server, sink: WebhookSink, room: str) -> None:
    async with api.LiveKitAPI(telling.http_url, KEY, SECRET) as service:
        created = await service.room.create_room(
            api.CreateRoomRequest(name=room, empty_timeout=100, metadata="painted")
        )
        started = await sink.wait("room_started", room)
        assert (started.room["sid"], started.room["metadata"]) == (created.sid, "painted")
        await service.room.delete_room(api.DeleteRoomRequest(room=room))
        await sink.wait("room_finished", room)


async def test_a_participant_that_never_connects(telling: Server, sink: WebhookSink, room: str) -> None:
    token = telling.login.token("ghost", room)
    async with aiohttp.ClientSession() as session:
        url = f"{telling.url}/rtc?access_token={token}&protocol=16&sdk=js&version=2.0.0&auto_subscribe=1"
        async with session.ws_connect(url) as socket:
            await socket.receive(timeout=5)
    await sink.wait("participant_connection_aborted", room, identity="ghost", within=LEFT_MAX)
    assert [each.kind for each in sink.of_room(room) if each.kind == "participant_joined"] == []


async def test_deliveries_are_signed_as_receivers_want_them(
    make: MakeClient, telling: Server, sink: WebhookSink, server_sdk: Node, room: str
) -> None:
    await entered(make, telling, "py", room)
    event = await sink.wait("participant_joined", room)
    delivery = event.delivery
    assert delivery.content_type.startswith("application/webhook+json")
    claims = jwt.decode(delivery.authorization, SECRET, algorithms=["HS256"])
    assert claims["iss"] == KEY
    digest = hashlib.sha256(delivery.body.encode()).digest()
    assert claims["sha256"] == base64.b64encode(digest).decode()
    assert 0 < claims["exp"] - int(event.createdAt) <= 600

    login = {"key": KEY, "secret": SECRET}
    seen = await server_sdk.call("webhook", login, delivery.body, delivery.authorization)
    assert (seen["event"], seen["id"]) == ("participant_joined", event.id)
    assert seen["room"]["name"] == room
    assert seen == {"event": "participant_joined"} | {
        key: value for key, value in event.fields.items() if key != "delivery"
    }

    forged = json.dumps(json.loads(delivery.body) | {"event": "room_finished"})
    with pytest.raises(Refused):
        await server_sdk.call("webhook", login, forged, delivery.authorization)
    with pytest.raises(Refused):
        await server_sdk.call("webhook", login | {"secret": "x" * 40}, delivery.body, delivery.authorization)
    with pytest.raises(Exception, match="hash"):
        sink.verified(forged, delivery.authorization)


async def test_a_delivery_that_fails_is_tried_again_in_order(
    make: MakeClient, tmp_path: Path, room: str
) -> None:
    async with WebhookSink.running(LOGIN) as sink:
        webhook = {"api_key": KEY, "urls": [sink.url]}
        async with serving(tmp_path, webhook=webhook) as server:
            sink.failures = 2
            guest = await entered(make, server, "py", room)
            started = await sink.wait("room_started", room, within=LEFT_MAX)
            joined = await sink.wait("participant_joined", room, within=LEFT_MAX)
            await guest.close()
        first = json.loads(sink.log.find("failed")[0].delivery.body)
        assert first["id"] in (started.id, joined.id)
        assert [each.kind for each in sink.of_room(room)][:1] == ["room_started"]


async def test_only_what_is_wanted_is_told(make: MakeClient, tmp_path: Path, room: str) -> None:
    async with WebhookSink.running(LOGIN) as sink:
        filters = {"exclude_events": ["participant_joined"]}
        webhook = {"api_key": KEY, "urls": [sink.url], "filter_params": filters, "data_tracks": False}
        async with serving(tmp_path, webhook=webhook, room=SOON) as server:
            guest = await entered(make, server, "py", room)
            await guest.publish("pose")
            await guest.close()
            await sink.wait("room_finished", room, within=LEFT_MAX)
        assert [each.kind for each in sink.of_room(room)] == [
            "room_started",
            "participant_left",
            "room_finished",
        ]

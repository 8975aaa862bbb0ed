"""What our own client changes of the room, as official ones see it (protocol §7, §10)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from harness.client import Joining, Refused
from harness.pair import Make
from harness.script_talkers import RustTalker
from harness.server import Server
from harness.talk import Talker

Enter = Callable[..., Awaitable[Talker]]
OFFICIAL = ("py", "js", "node")


@pytest.fixture
async def enter(server: Server, room: str, talker: Make) -> AsyncIterator[Enter]:
    """Joins the room of the test: `await enter("js", "bob", room_admin=True)`."""
    made: list[Talker] = []

    async def join(kind: str, name: str, **grants: Any) -> Talker:
        client = talker(kind, name)
        made.append(client)
        await client.connect(Joining(server.url, server.login.token(client.identity, room, **grants)))
        return client

    yield join
    for client in made:
        await client.close()


async def administrator(enter: Enter) -> RustTalker:
    client = await enter("rs", "administrator", room_admin=True)
    assert isinstance(client, RustTalker)
    return client


async def test_metadata_of_the_room_reach_everybody(enter: Enter) -> None:
    watchers = [await enter(kind, kind) for kind in OFFICIAL]
    ours = await administrator(enter)
    for metadata in ("hall 3", "grüße, 世界"):
        await ours.set_room_metadata(metadata)
        for each in (*watchers, ours):
            await each.log.wait("room_metadata_changed", metadata=metadata)


@pytest.mark.own_server
async def test_patches_reach_everybody_as_a_whole(enter: Enter) -> None:
    watchers = [await enter(kind, kind) for kind in OFFICIAL]
    ours = await administrator(enter)

    async def seen(wanted: dict[str, Any]) -> None:
        for each in (*watchers, ours):
            await each.log.wait_until(
                lambda log=each.log: any(
                    json.loads(event.metadata) == wanted for event in log.find("room_metadata_changed")
                ),
                10,
                f"metadata {wanted}",
            )

    first = await ours.patch_room_metadata({"lights": {"hall": "on", "yard": "off"}, "alarm": "armed"})
    await seen({"lights": {"hall": "on", "yard": "off"}, "alarm": "armed"})
    second = await ours.patch_room_metadata({"lights": {"yard": "on"}, "alarm": None}, first)
    await seen({"lights": {"hall": "on", "yard": "on"}})
    assert second > first
    with pytest.raises(Refused) as caught:
        await ours.patch_room_metadata({"lights": None}, first)
    assert caught.value.reason == "Conflict"


async def test_who_does_not_administer_the_room_is_told(enter: Enter) -> None:
    guest = await enter("rs", "guest")
    assert isinstance(guest, RustTalker)
    with pytest.raises(Refused) as caught:
        await guest.set_room_metadata("mine")
    assert caught.value.reason == "NotAllowed"
    assert guest.log.find("room_metadata_changed") == []

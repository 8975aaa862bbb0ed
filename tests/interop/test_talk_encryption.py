"""What clients without the key make of packets, streams and calls in an encrypted room (protocol §5.8)."""

from collections.abc import AsyncIterator

import pytest
from livekit import api

from harness import payload
from harness.client import Joining
from harness.keys import Keys
from harness.pair import Kinds, Make, Pair
from harness.server import Server
from harness.talk import About, Packets, RpcFailed, Talker

RIGHT, WRONG = Keys.shared("right"), Keys.shared("wrong")
STRANGERS = [("js", WRONG), ("py", WRONG), ("rs", WRONG), ("js", None), ("py", None), ("rs", None)]


@pytest.fixture(params=[Kinds("rs", "py", keys=RIGHT), Kinds("js", "rs", keys=RIGHT)], ids=Kinds.id)
async def pair(request: pytest.FixtureRequest, server: Server, talker: Make) -> AsyncIterator[Pair]:
    async with Pair.joined(request.param, server, talker) as pair:
        yield pair


@pytest.fixture
async def strangers(server: Server, talker: Make, pair: Pair) -> AsyncIterator[list[Talker]]:
    """Clients of each kind in the room, with the wrong key or with none."""
    made: list[Talker] = []
    for kind, keys in STRANGERS:
        client = talker(kind, f"{kind}-{'wrong' if keys else 'none'}")
        made.append(client)
        await client.connect(Joining(server.url, server.login.token(client.identity, pair.room), keys=keys))
        await pair.source.knows(client)
    yield made
    for client in made:
        await client.close()


async def test_without_the_right_key_nothing_can_be_read(
    server: Server, pair: Pair, strangers: list[Talker]
) -> None:
    await pair.source.send_packets(Packets(10, topic="secret"))
    await pair.source.send_text("secret", About())
    await pair.settled(pair.sink)
    assert pair.sink.packets(pair.source.identity, "secret") == list(range(1, 11))
    await pair.sink.log.wait("text", text="secret")
    # What a backend sends is not sealed; it comes after all that was sent before.
    async with api.LiveKitAPI(server.http_url, server.login.key, server.login.secret) as service:
        await service.room.send_data(
            api.SendDataRequest(room=pair.room, data=payload.make(1, 100), topic="end")
        )
    for stranger in strangers:
        await stranger.log.wait("packet", topic="end")
        assert pair.source.identity not in {each.fields["from"] for each in stranger.log.find("packet")}
        texts = [each for each in stranger.log.find("text") if each.error is None]
        assert texts == []
        if stranger.kind == "rs":
            assert len(stranger.log.find("data_undecryptable")) == 1


async def test_a_call_that_cannot_be_read_is_not_answered(pair: Pair, strangers: list[Talker]) -> None:
    stranger = next(each for each in strangers if each.kind == "rs")
    with pytest.raises(RpcFailed) as caught:
        await pair.source.rpc(stranger.identity, "echo", "secret", timeout=1)
    assert caught.value.code in (1501, 1502)

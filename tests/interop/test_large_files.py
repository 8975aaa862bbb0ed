"""Files that are larger than what waits for one receiver: the slower side sets the pace (protocol §6.4)."""

from collections.abc import AsyncIterator

import pytest

from harness.pair import Kinds, Make, Pair
from harness.server import Server
from harness.talk import About, Talker

PAIRS = [Kinds("node", "py"), Kinds("rs", "js"), Kinds("js", "py")]
FILE_BYTES = 20_000_000
ARRIVED_MAX = 40.0
TABLE = "A file of 20 MB"


pairs = pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=Kinds.id)


@pytest.fixture
async def pair(request: pytest.FixtureRequest, server: Server, talker: Make) -> AsyncIterator[Pair]:
    async with Pair.joined(request.param, server, talker) as pair:
        yield pair


async def arrives_whole(pair: Pair, receivers: list[Talker], about: About) -> None:
    sent = await pair.source.send_file(FILE_BYTES, about)
    for each in receivers:
        seen = await each.log.wait("bytes", within=ARRIVED_MAX)
        assert (seen.size, seen.error, seen.sha256) == (FILE_BYTES, None, sent.sha256)
    for each in (pair.source, pair.sink, pair.witness):
        assert each.log.find("reconnecting") == []


@pairs
@pytest.mark.case(TABLE, "pair", "to one")
async def test_a_large_file_for_one_arrives_whole(pair: Pair) -> None:
    await arrives_whole(pair, [pair.sink], About(to=[pair.sink.identity]))


@pairs
@pytest.mark.case(TABLE, "pair", "to everyone")
async def test_a_large_file_for_everyone_arrives_whole(pair: Pair) -> None:
    await arrives_whole(pair, [pair.sink, pair.witness], About())

"""Files that are larger than what waits for one receiver: the slower side sets the pace (protocol §6.4)."""

from collections.abc import AsyncIterator

import pytest

from harness.pair import Kinds, Make, Pair
from harness.server import Server
from harness.talk import About

PAIRS = [Kinds("node", "py"), Kinds("rs", "js"), Kinds("js", "py")]
FILE_BYTES = 20_000_000
ARRIVED_MAX = 40.0


@pytest.fixture
async def pair(request: pytest.FixtureRequest, server: Server, talker: Make) -> AsyncIterator[Pair]:
    async with Pair.joined(request.param, server, talker) as pair:
        yield pair


@pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=Kinds.id)
@pytest.mark.case("A file of 20 MB", "pair", "arrives whole")
async def test_a_large_file_arrives_whole(pair: Pair) -> None:
    sent = await pair.source.send_file(FILE_BYTES, About())
    seen = await pair.sink.log.wait("bytes", within=ARRIVED_MAX)
    assert (seen.size, seen.error, seen.sha256) == (FILE_BYTES, None, sent.sha256)
    # The witness was slowed down by nobody, and reads as well.
    also = await pair.witness.log.wait("bytes", within=ARRIVED_MAX)
    assert (also.error, also.sha256) == (None, sent.sha256)
    for each in (pair.source, pair.sink, pair.witness):
        assert each.log.find("reconnecting") == []

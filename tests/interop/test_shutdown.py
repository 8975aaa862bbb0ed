"""A server that is told to end (protocol §1.7)."""

import time
from pathlib import Path

import pytest

from conftest import Join
from harness.report import Report
from harness.server import serving

pytestmark = pytest.mark.own_server
CLOSED_MAX = 10.0


async def test_clients_are_told_of_a_shutdown(tmp_path: Path, join: Join, report: Report) -> None:
    async with serving(tmp_path) as server:
        kinds = [("py", True), ("py", False), ("js", True), ("js", False)]
        clients = [await join(kind, f"{kind}-{single}", at=server, single=single) for kind, single in kinds]
        begin = time.monotonic()
        server.terminate()
        for client in clients:
            gone = await client.log.wait("disconnected", within=CLOSED_MAX)
            assert gone.reason == "SERVER_SHUTDOWN"
        assert await server.ended(CLOSED_MAX) == 0
        report.time("SIGTERM: until the process has ended", time.monotonic() - begin)

"""A TCP proxy for the signal connection, which can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

CHUNK_BYTES = 65_536


class Proxy:
    """Forwards to the server until `cut`; new connections are forwarded again at once."""

    def __init__(self, host: str, port: int, delay: float) -> None:
        self._target = (host, port)
        self._delay = delay
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer, self._delay))
        finally:
            self._writers -= {writer, far_writer}

    def cut(self) -> int:
        """Resets every connection; gives how many sockets that were."""
        cut = list(self._writers)
        for writer in cut:
            writer.transport.abort()
        return len(cut)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, port: int, host: str = "127.0.0.1", delay: float = 0.0) -> AsyncIterator["Proxy"]:
        """Listens on a free port of loopback; what the server says takes so long to arrive."""
        proxy = cls(host, port, delay)
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float = 0.0) -> None:
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            await asyncio.sleep(delay)
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # the other direction sees the same
    finally:
        writer.close()

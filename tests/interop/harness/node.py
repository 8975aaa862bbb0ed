"""Programs spoken to in JSON lines: those of `js/`, and that of our own client."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from .client import Refused
from .events import EventLog

SCRIPTS = Path(__file__).resolve().parents[1] / "js"
LINE_BYTES_MAX = 1 << 20
CALL_MAX = 30.0
STOP_MAX = 10.0


class Node:
    """A process: calls get answers, events go to the log of the identity they name."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._id = 0
        self.logs: dict[str, EventLog] = {}
        self.own = EventLog("node")

    @classmethod
    def running(cls, script: str) -> contextlib.AbstractAsyncContextManager["Node"]:
        """Starts a script of `js/`."""
        return cls.program("node", SCRIPTS / script)

    @classmethod
    @contextlib.asynccontextmanager
    async def program(cls, *words: str | Path) -> AsyncIterator["Node"]:
        """Starts a program, waits until it is ready, and ends it by closing its input."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, limit=LINE_BYTES_MAX)
        node = cls(process)
        reader = asyncio.create_task(node._read())
        try:
            await node.own.wait("ready", within=CALL_MAX)
            yield node
        finally:
            await node._stop()
            await reader

    async def _stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_MAX):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError("a program does not end when its input does") from None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._take(json.loads(line))
        finally:
            for call in self._calls.values():
                if not call.done():
                    call.set_exception(RuntimeError("a program ended or said what is not understood"))

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._event(message)
        elif "id" in message:
            call = self._calls.pop(message["id"])
            if not call.done():
                call.set_result(message)
        else:
            print(message)  # the logger of a library

    def _event(self, message: dict[str, Any]) -> None:
        log = self.logs.get(message.get("identity", ""), self.own)
        log.record(message["event"], **message.get("fields", {}))

    async def call(self, method: str, *args: Any, within: float = CALL_MAX) -> Any:
        """Calls a function of the script; raises `Refused` with the script's own words."""
        assert self._process.stdin is not None
        self._id += 1
        call = self._calls[self._id] = asyncio.get_running_loop().create_future()
        request = {"id": self._id, "method": method, "args": args}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        async with asyncio.timeout(within):
            answer = await call
        if error := answer.get("error"):
            raise Refused(error["reason"], error["message"])
        return answer["value"]

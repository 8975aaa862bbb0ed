"""The server's API through LiveKit's own server SDKs: requests are protobuf messages, answers its JSON."""

import re
from abc import ABC, abstractmethod
from typing import Any

import aiohttp
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from livekit import api
from livekit.protocol import room as messages

from .node import Node
from .server import Server


class ServerRefused(Exception):
    """The server's answer is an error."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.status = status
        self.message = message


class RoomService(ABC):
    """One library; with a token it is used as it is, without one the library makes one for each request."""

    kind: str

    @abstractmethod
    async def ask(self, method: str, request: Message) -> dict[str, Any]:
        """Calls the library's own method, or raises `ServerRefused`."""

    @abstractmethod
    async def raw(self, method: str, request: Message) -> dict[str, Any]:
        """Asks in the library's way what it has no method for, or raises `ServerRefused`."""


class PythonService(RoomService):
    """`livekit-api`, which speaks protobuf."""

    kind = "py"

    def __init__(self, session: aiohttp.ClientSession, server: Server, token: str | None) -> None:
        login = (None, None) if token else (server.login.key, server.login.secret)
        self._room = api.LiveKitAPI(server.http_url, *login, token=token, session=session).room

    async def ask(self, method: str, request: Message) -> dict[str, Any]:
        snake = re.sub("(?<!^)([A-Z])", r"_\1", method).lower()
        return await self._answer(getattr(self._room, snake)(request))

    async def raw(self, method: str, request: Message) -> dict[str, Any]:
        header = self._room._auth_header(api.VideoGrants(room_admin=True, room=request.room))
        answer = getattr(messages, f"{method}Response")
        return await self._answer(self._room._client.request("RoomService", method, request, header, answer))

    async def _answer(self, asked: Any) -> dict[str, Any]:
        try:
            answer = await asked
        except api.TwirpError as error:
            raise ServerRefused(error.code, error.status, error.message) from error
        return MessageToDict(answer) if answer is not None else {}


class NodeService(RoomService):
    """`livekit-server-sdk`, which speaks JSON."""

    kind = "node"

    def __init__(self, node: Node, server: Server, token: str | None) -> None:
        self._node = node
        self._login = {"url": server.http_url, "token": token}
        self._login |= {"key": server.login.key, "secret": server.login.secret}

    async def ask(self, method: str, request: Message) -> dict[str, Any]:
        return await self._call("ask", method, request)

    async def raw(self, method: str, request: Message) -> dict[str, Any]:
        return await self._call("raw", method, request)

    async def _call(self, how: str, method: str, request: Message) -> dict[str, Any]:
        result = await self._node.call(how, self._login, method, MessageToDict(request))
        if refused := result.get("refused"):
            raise ServerRefused(**refused)
        return result["answer"]

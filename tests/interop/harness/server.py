"""The server under test: started on free ports with a configuration of the test, or one that runs already."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .tokens import Login

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("TRACKYARD_BIN", ROOT / "target/debug/trackyard"))
PEER = Path(os.environ.get("TRACKYARD_PEER", ROOT / "target/debug/sdk-peer"))
READY = os.environ.get("TRACKYARD_READY", "/readyz")
"""Where a server answers 200 as soon as it is ready."""
KEY, SECRET = "interop", "a secret that is long enough for HMAC with SHA-256"
PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
"""Which of the processes that share the tests this is."""
PORTS = range(20_000 + PROCESS * 1_500, 21_500 + PROCESS * 1_500)
"""No other process's, and below those that the system gives to clients, which would take one between its
choice and its use."""
PORT_TRIES_MAX = 100
START_MAX = 15.0
STOP_MAX = 15.0


@dataclass(frozen=True)
class Ports:
    """What one server listens on."""

    http: int
    udp: int
    tcp: int

    @classmethod
    def free(cls) -> "Ports":
        """Three ports that were free a moment ago; all are held until the last is found."""
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
        with contextlib.ExitStack() as held:
            return cls(*(_hold(held, kind) for kind in kinds))


def _hold(held: contextlib.ExitStack, kind: socket.SocketKind) -> int:
    """Binds a free port until `held` ends."""
    for port in random.sample(PORTS, PORT_TRIES_MAX):
        each = held.enter_context(socket.socket(socket.AF_INET, kind))
        with contextlib.suppress(OSError):
            each.bind(("0.0.0.0", port))
            return port
    raise AssertionError(f"of {PORT_TRIES_MAX} ports none is free")


@dataclass
class Server:
    """A process of ours, or only an address when the server is somebody else's."""

    url: str
    login: Login
    process: asyncio.subprocess.Process | None = None
    ports: Ports | None = None
    arguments: list[str] = field(default_factory=list)
    hears: bool = False
    """It takes orders of faults on its standard input."""
    log: Path | None = None

    @property
    def http_url(self) -> str:
        return self.url.replace("ws", "http", 1)

    async def metric(self, name: str) -> float:
        """A figure without labels, as its `/metrics` say."""
        text = await asyncio.to_thread(_read, f"{self.http_url}/metrics")
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return next((float(value) for key, value in lines if key == name), 0.0)

    async def until(self, found: Callable[[], Awaitable[bool]], within: float, what: str) -> None:
        """Waits for what only its answers tell."""
        deadline = time.monotonic() + within
        while not await found():
            if time.monotonic() > deadline:
                raise AssertionError(f"the server has no {what} within {within} s")
            # Nothing can be waited for but the answer of the next request.
            await asyncio.sleep(0.02)

    async def start(self) -> None:
        """Starts the process and waits until it is ready."""
        assert self.log is not None
        stdin = asyncio.subprocess.PIPE if self.hears else asyncio.subprocess.DEVNULL
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                BINARY, *self.arguments, stdin=stdin, stdout=log, stderr=log, cwd=self.log.parent
            )
        try:
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    async def _ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_MAX
        while not await asyncio.to_thread(_answers, f"{self.http_url}{READY}"):
            if self.process.returncode is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self._tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the server is not ready within {START_MAX} s: {self._tail()}")
            # Nothing can be waited for but the answer of the next request.
            await asyncio.sleep(0.02)

    async def kill_worker(self, worker: int) -> None:
        """Has a worker die; it has begun anew when this returns."""
        assert self.process is not None
        assert self.process.stdin is not None
        name = "trackyard_worker_deaths_total"
        before = await self.metric(name)
        self.process.stdin.write(f"worker {worker}\n".encode())

        async def has_died() -> bool:
            return await self.metric(name) > before

        await self.until(has_died, STOP_MAX, "death of a worker")

    def terminate(self) -> None:
        """Asks the process to end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, within: float = STOP_MAX) -> int:
        """Waits for the end of the process and gives its exit code."""
        assert self.process is not None
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def stop(self) -> None:
        """Ends the process, by force if it takes too long."""
        if self.process is None or self.process.returncode is not None:
            return
        self.terminate()
        try:
            await self.ended()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise AssertionError(f"the server ignores SIGTERM: {self._tail()}") from None

    async def kill(self) -> None:
        """Ends the process without a word to its clients."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    def _tail(self) -> str:
        assert self.log is not None
        return self.log.read_text(errors="replace")[-2000:]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def configuration(ports: Ports, **settings: Any) -> dict[str, Any]:
    """A configuration on loopback, with what the test sets beside."""
    rtc = {"udp_port": ports.udp, "tcp_port": ports.tcp, "node_ip": "127.0.0.1"}
    rtc["enable_loopback_candidate"] = True
    base = {"port": ports.http, "bind_addresses": ["127.0.0.1"], "keys": {KEY: SECRET}, "rtc": rtc}
    return base | settings


@contextlib.asynccontextmanager
async def serving(directory: Path, *, faults: bool = False, **settings: Any) -> AsyncIterator[Server]:
    """Runs `trackyard serve` with these settings; the process is gone afterwards. With `faults` its workers
    can be killed."""
    ports = Ports.free()
    config = directory / f"config-{ports.http}.yaml"
    # Every JSON text is YAML.
    config.write_text(json.dumps(configuration(ports, **settings), indent=2))
    arguments = ["serve", "--config", str(config), *(["--faults"] if faults else [])]
    async with _running(directory, ports, Login(KEY, SECRET), arguments) as server:
        yield server


@contextlib.asynccontextmanager
async def developing(directory: Path) -> AsyncIterator[Server]:
    """Runs `trackyard dev`, which has the demo page."""
    ports = Ports.free()
    arguments = ["dev", f"--port={ports.http}", f"--udp-port={ports.udp}", f"--tcp-port={ports.tcp}"]
    async with _running(directory, ports, Login("devkey", "secret"), arguments) as server:
        yield server


@contextlib.asynccontextmanager
async def _running(
    directory: Path, ports: Ports, login: Login, arguments: list[str]
) -> AsyncIterator[Server]:
    log = directory / f"server-{ports.http}.log"
    hears = "--faults" in arguments
    server = Server(f"ws://127.0.0.1:{ports.http}", login, None, ports, arguments, hears, log)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()

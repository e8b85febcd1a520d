"""python-hl7's own asyncio MLLP server with an empty handler: it parses a message and acknowledges it.

    python -m tests.bench.python_hl7

Prints the port that it took. Nothing is stored: this is the ceiling, not a receiver.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Protocol, cast


class _Message(Protocol):
    def create_ack(self) -> "_Message": ...


class _Reader(Protocol):
    async def readmessage(self) -> _Message: ...


class _Writer(Protocol):
    def is_closing(self) -> bool: ...
    def writemessage(self, message: _Message) -> None: ...
    async def drain(self) -> None: ...
    def close(self) -> None: ...


class _Start(Protocol):
    async def __call__(
        self, handler: Callable[[_Reader, _Writer], Awaitable[None]], *, host: str, port: int
    ) -> asyncio.Server: ...


async def acknowledge(reader: _Reader, writer: _Writer) -> None:
    """Answer each message of a connection until the peer closes it."""
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the peer is done
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    start = cast("_Start", import_module("hl7.mllp").start_hl7_server)  # the library has no types
    server = await start(acknowledge, host="127.0.0.1", port=0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

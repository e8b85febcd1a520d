"""Litestar answering every POST with a constant, on the listener that ours runs on: the ceiling.

    python -m tests.bench.litestar_constant

Prints the port that it took. The body is read, as any receiver reads it, and nothing is done with it.
"""

import asyncio
from typing import Any

import uvloop
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State

from services.gateway.fhir.listener import Listener

_ANSWER = b"{}"


@post("/fhir/ServiceRequest")
async def constant(request: Request[Any, Any, State]) -> Response[bytes]:
    """Read the request, and answer."""
    await request.body()
    return Response(_ANSWER, media_type="application/fhir+json")


async def main() -> None:
    """Serve until killed."""
    app = Litestar([constant], openapi_config=None, logging_config=None)
    listener = Listener(app, "127.0.0.1", 0)
    print(listener.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())

"""Waiting until a NATS server has done what a client sent."""

from nats.aio.client import Client


async def flushed(client: Client) -> None:
    """Return when the server knows, above all, of every subscription that the client made.

    nats-py's `flush` writes its PING before what is pending, so that only a second one comes behind that.
    """
    await client.flush()
    await client.flush()

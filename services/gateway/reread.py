"""Reads a stored HL7 v2 message again, by the profiles that hold now, and stores what it says now.

INBOUND keeps what a message meant when it came. Where a profile was wrong, it does not help to handle that
once more: the original has to be read anew. Asked on `reread.gateway`.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.gateway.hl7v2.error import Hl7Error
from services.gateway.profiles import Profiles
from services.gateway.receiver import Receiver
from shared.eventlog.errors import LogUnavailableError
from shared.eventlog.log import Log
from shared.eventlog.parking import Reread, RereadAnswer
from shared.events.received import UnreadableMessageError, received
from shared.settings import Settings

SUBJECT: Final = "reread.gateway"
_STREAM: Final = "INBOUND"


@asynccontextmanager
async def rereading(settings: Settings, log: Log, profiles: Callable[[], Profiles]) -> AsyncGenerator[None]:
    """Answer while inside."""
    receiver = Receiver(
        log.publish,
        profiles=profiles,
        largest_message=settings.mllp_max_bytes,
        largest_payload=lambda: log.client.max_payload,
    )

    async def answer(message: Msg) -> None:
        await message.respond(msgspec.json.encode(await reread(log, receiver, message.data)))

    listening = await log.client.subscribe(  # pyright: ignore[reportUnknownMemberType] -- its future has no type
        SUBJECT, queue="gateway", cb=answer
    )
    try:
        yield
    finally:
        await listening.unsubscribe()


async def reread(log: Log, receiver: Receiver, body: bytes) -> RereadAnswer:
    """Read the message asked for; the answer says where in INBOUND it is now, or why it is not."""
    try:
        asked = msgspec.json.decode(body, type=Reread)
        stored = await log.get(_STREAM, asked.sequence)
        if stored is None:
            return RereadAnswer(sentence="The message is no longer in INBOUND.")
        original = received(stored.payload).data.original
        if original.format != "hl7v2":
            return RereadAnswer(sentence="Only HL7 v2 messages are read by a profile; have it handled again.")
        return RereadAnswer(sequences=await receiver.store_again(original.text))
    except Hl7Error as error:
        return RereadAnswer(sentence=f"{error.place}: {error.sentence}")
    except (msgspec.DecodeError, UnreadableMessageError, LogUnavailableError) as error:
        return RereadAnswer(sentence=str(error))

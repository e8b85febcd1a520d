"""Answers commands: NATS requests on `command.<service>.<Name>`, one queue group a service."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker, NatsMessage

from shared import metrics
from shared.commands import reply
from shared.commands.base import Command
from shared.commands.decision import Decider, Refused
from shared.eventlog.clock import Clock
from shared.eventlog.errors import LogUnavailableError, TooLargeError
from shared.eventlog.execute import Executor
from shared.eventlog.in_flight import InFlight
from shared.eventlog.policies import as_it_came
from shared.events.registry import UndecodableEventError
from shared.telemetry import failure

_ENCODER: Final = msgspec.json.Encoder()
_log = structlog.get_logger()


Prepare = Callable[[Any], Awaitable[Command | Refused]]


@dataclass(frozen=True)
class Accepted:
    """A command that may be asked from outside, and the decider that it is for.

    `prepare` fills in what the service has to look up elsewhere before it can be decided, or refuses it.
    """

    type: type[Command]
    decider: Decider[Any, Any]
    prepare: Prepare | None = None


class CommandHandlers:
    """Decodes, executes and answers; nothing is thrown at the asker."""

    def __init__(self, executor: Executor, accepted: Iterable[Accepted], clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._by_name: Mapping[str, tuple[msgspec.json.Decoder[Command], Accepted]] = {
            one.type.__name__: (msgspec.json.Decoder(one.type), one) for one in accepted
        }

    def subscribe(self, broker: NatsBroker, in_flight: InFlight, service: str) -> None:
        """Answer the service's commands on the broker, several at a time."""
        broker.subscriber(
            f"command.{service}.*",
            queue=service,
            ack_policy=AckPolicy.MANUAL,  # core NATS: there is nothing to acknowledge
            decoder=as_it_came,
            no_reply=True,  # the task answers
        )(in_flight.several(self._handle))

    async def _handle(self, message: NatsMessage) -> None:
        name = message.raw_message.subject.rpartition(".")[2]
        known = name if name in self._by_name else "unknown"
        with metrics.COMMAND_SECONDS.labels(known).time():
            answer = await self.answer(name, message.raw_message.data)
        metrics.COMMANDS.labels(known, answer.__struct_config__.tag).inc()
        await message.raw_message.respond(_ENCODER.encode(answer))

    async def answer(self, name: str, body: bytes) -> reply.Reply:
        """Execute the command of that name and JSON body."""
        known = self._by_name.get(name)
        if known is None:
            return reply.Invalid(sentence=f"There is no command named {name}.")
        decoder, accepted = known
        try:
            command = decoder.decode(body)
        except msgspec.DecodeError as error:
            return reply.Invalid(sentence=f"{name} cannot be read: {error}.")
        return await self._execute(accepted, msgspec.structs.replace(command, now=self._clock()))

    async def _execute(self, accepted: Accepted, command: Command) -> reply.Reply:
        try:
            prepared = await accepted.prepare(command) if accepted.prepare else command
            if isinstance(prepared, Refused):
                return prepared
            return await self._executor.execute(accepted.decider, prepared)
        except LogUnavailableError:
            return reply.Unavailable(
                sentence="It could not be stored now. Asking again with the same id is safe."
            )
        except TooLargeError as error:
            return reply.Invalid(sentence=str(error))
        except UndecodableEventError:
            _log.error("undecodable-entity", category=command.category, entity=command.entity)
            return reply.Unavailable(sentence="The record holds an event that this version cannot read.")
        except Exception as error:  # noqa: BLE001 -- the broker would drop it, and the asker would wait
            name = type(command).__name__
            _log.error("command-failed", command=name, **failure(error))
            return reply.Unavailable(sentence=f"{name} failed inside the service, which logged it.")


__all__ = ["Accepted", "CommandHandlers", "Refused"]

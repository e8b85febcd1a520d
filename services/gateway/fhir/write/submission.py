"""What was sent, by whom: what every message made of it carries."""

from datetime import datetime
from functools import cached_property
from hashlib import sha256

from services.gateway.fhir.auth import Caller
from services.gateway.fhir.write.scope import Scope
from shared.events.base import Identifier as Named
from shared.events.inbound import Original
from shared.events.moment import Moment, moment


class Submission:
    """One request, or one entry of a batch; warnings gather while it is read."""

    def __init__(self, raw: bytes, caller: Caller, received: datetime, scope: Scope | None = None) -> None:
        """Take the text as it came and when, an aware instant."""
        self.raw = raw
        self.caller = caller
        self.received = received
        self.scope = scope or Scope()
        self.trigger = "fhir"
        self.sent: Moment | None = None
        self.warnings: list[str] = []
        self._control_id: str | None = None

    @property
    def source(self) -> str:
        """The sender's token."""
        return self.caller.source

    @property
    def assigner(self) -> str:
        """Whose an identifier is that does not say so: the sender's only assigner, else the sender."""
        own = self.caller.assigners
        return next(iter(own)) if len(own) == 1 else self.source

    @property
    def occurred(self) -> Moment:
        """When it was sent, as far as is known."""
        return self.sent or moment(self.received)

    @property
    def control_id(self) -> str:
        """By which the sender knows what was sent; a digest where it has no name."""
        if self._control_id is None:
            self._control_id = sha256(self.raw).hexdigest()[:32]
        return self._control_id

    @cached_property
    def text(self) -> str:
        """What was sent, once in memory however many messages it makes."""
        return self.raw.decode()

    def name(self, *told: str | None) -> None:
        """Take the first name that was told as the control id."""
        self._control_id = self._control_id or next(filter(None, told), None)

    def warn(self, sentence: str) -> None:
        """Note what was not taken; goes with the message and with the answer."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def original(self) -> Original:
        """Made last, so that it has every warning."""
        return Original(
            format="fhir-r4",
            text=self.text,
            control_id=self.control_id,
            trigger=self.trigger,
            sent_at=self.sent,
            warnings=tuple(self.warnings),
        )

    def own(self, value: str) -> Named:
        """Return a placer's number that the sender gave without saying whose it is."""
        return Named(self.assigner, value, "PLAC")

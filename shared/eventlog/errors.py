"""What can go wrong between a decision and the log."""

from shared.commands.decision import Refused


class LogUnavailableError(Exception):
    """The log did not answer; whether it stored what was sent is not known, so the command is asked again."""


class TooLargeError(Exception):
    """A message is larger than the log's server takes; asking again does not help."""


class ConflictError(Exception):
    """Somebody else appended to the entity first; nothing was stored."""


class UnsyncedLogError(Exception):
    """The log's server may lose what it acknowledged: it does not sync every write to disk."""


class UnaskedLogError(UnsyncedLogError):
    """The log's server does not say how it syncs: its monitoring gives no answer."""


class NotYetError(Exception):
    """Something that this depends on has not been seen yet; it is tried again later, `tries` times in all."""

    def __init__(self, sentence: str = "", *, tries: int = 12) -> None:
        super().__init__(sentence)
        self.tries = tries


class PolicyRefusedError(Exception):
    """A policy's command was refused: the message is parked, for asking again does not help."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(f"{refused.code}: {refused.sentence}")

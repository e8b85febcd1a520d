"""What can go wrong between a decision and the log."""


class LogUnavailableError(Exception):
    """The log did not answer; whether it stored what was sent is not known, so the command is asked again."""


class ConflictError(Exception):
    """Somebody else appended to the entity first; nothing was stored."""


class UnsyncedLogError(Exception):
    """The log's server may lose what it acknowledged: it does not sync every write to disk."""


class NotYetError(Exception):
    """Something that this depends on has not been seen yet; it is tried again later."""

"""Why a server did not start."""


class ServerStartError(Exception):
    """A server did not start; the message says why, with the last lines it logged."""


class PortTakenError(ServerStartError):
    """Another process listens on the port."""

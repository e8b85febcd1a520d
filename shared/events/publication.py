"""What a sender that published to NATS is answered: the form in which JetStream answers a publish."""

from typing import Literal

from msgspec import Struct

RefusalCode = Literal[400, 403, 413, 500, 503]


class PublishAck(Struct, frozen=True, omit_defaults=True):
    """The message is stored on disk; `duplicate` where it was before, by its id."""

    stream: str
    seq: int
    duplicate: bool = False


class PublishError(Struct, frozen=True):
    """Why a message is not stored: a code as of HTTP, and a sentence that names the field."""

    code: RefusalCode
    err_code: int
    description: str


class PublishRefusal(Struct, frozen=True):
    """The message is not stored: with 503 send it again, with any other code correct it first."""

    error: PublishError

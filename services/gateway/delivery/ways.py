"""How a sender is told of its referrals, as its profile agrees."""

from typing import Annotated

from msgspec import Meta, Struct

_Text = Annotated[str, Meta(min_length=1)]


class Mllp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="channel", tag="mllp"):
    """RRI^I12 to a receiver of the sender's; `tls`, or a file of an authority, encrypts."""

    host: _Text
    port: Annotated[int, Meta(ge=1, le=65535)]
    tls: bool = False
    authority: _Text | None = None  # PEM file of who signs the receiver's certificate; else the system's
    certificate: _Text | None = None  # PEM file of ours, where the receiver wants one
    key: _Text | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.tls or bool(self.authority or self.certificate)


class RestHook(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="channel", tag="rest-hook"
):
    """FHIR Subscriptions of the sender's own; `private` lets them name loopback and private addresses."""

    private: bool = False


Way = Mllp | RestHook

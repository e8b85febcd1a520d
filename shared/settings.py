"""Settings from the environment: `THROUGHCARE_<NAME>`, or `THROUGHCARE_<NAME>_FILE` naming a file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

_PREFIX = "THROUGHCARE_"

Port = Annotated[int, Meta(ge=0, le=65535)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a service can be told; each has a default that is safe on one machine, but the servers."""

    nats_url: str
    database_url: str
    identifier_key: Annotated[str, Meta(min_length=16)]  # secret of the keyed hash in identity subjects

    nats_user: str | None = None  # as in accounts.conf; without, NATS lets anybody in
    nats_password: str | None = None
    nats_tls_ca: str | None = None  # path of a PEM file: who certifies the server; else who the system trusts
    nats_tls_certificate: str | None = None  # path of a PEM file, where the server wants one of its clients
    nats_tls_key: str | None = None  # path of its key; else it is in the certificate's file
    nats_monitor_url: str | None = None  # the server's monitoring port; else port 8222 of its host is asked
    partitions: Annotated[int, Meta(ge=1, le=256)] = 1
    allow_unsynced_log: bool = False  # append although the server may lose what it acknowledged

    site_zone: str = "America/New_York"  # IANA name: "today" and business days are the site's
    site_country: str = "US"  # ISO 3166-1, for public holidays
    site_subdivision: str | None = None

    program: str = "iop"
    program_level: str = "2.1"
    asam_edition: str = "3"
    sensitivity: str = "MH"

    admin_host: str = "127.0.0.1"
    admin_port: Port = 0  # /livez, /readyz, /metrics; 0 takes a free one and logs it
    mllp_host: str = "127.0.0.1"
    mllp_port: Port = 2575
    mllp_max_bytes: Annotated[int, Meta(ge=1024)] = 10 * 1024 * 1024
    mllp_idle_seconds: Annotated[float, Meta(gt=0)] = 300.0
    mllp_message_seconds: Annotated[float, Meta(gt=0)] = 60.0  # from a message's first byte to its last
    mllp_connections: Annotated[int, Meta(ge=1)] = 10_000
    mllp_tls_certificate: str | None = None  # path of a PEM file; with it, MLLP is spoken over TLS only
    mllp_tls_key: str | None = None  # path of its key; else it is in the certificate's file
    mllp_tls_client_ca: str | None = None  # path of a PEM file; with it, senders need a certificate of these
    mllp_tls_client_crl: str | None = None  # path of a PEM file: what those authorities took back
    profiles: str | None = None  # path of the senders' profiles; without, anybody may send anything
    fhir_host: str = "127.0.0.1"
    fhir_port: Port = 8080  # 0 takes a free one
    fhir_base_url: str | None = None  # where others see /fhir, behind a proxy; else what they ask for
    fhir_max_bytes: Annotated[int, Meta(ge=1024)] = 10 * 1024 * 1024
    fhir_tokens: str | None = None  # source=token, separated by spaces; for demos: profiles hold hashes
    # source=class, several separated by spaces: what a consent may name instead of the source itself, such as
    # general-hospital=treating-provider.
    recipient_classes: str = ""
    delivery_retry_seconds: Annotated[float, Meta(gt=0)] = 5.0  # before a sender is told again, at first
    delivery_retry_max_seconds: Annotated[float, Meta(gt=0)] = 7_200.0  # pauses double until then
    delivery_lease_seconds: Annotated[float, Meta(gt=0)] = 45.0  # so long a gateway may be silent

    state_cache: Annotated[int, Meta(ge=0)] = 20_000  # entities a service keeps folded in memory
    projector_batch: Annotated[int, Meta(ge=1)] = 500
    run_file: str | None = None  # where a service writes the ports it took, as JSON
    log_level: str = "INFO"


class SettingsError(Exception):
    """The environment does not make settings; the text names the variable and what is expected."""


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingsError naming the variable that is missing or wrong."""
    told = {field.name: value for field in fields(Settings) if (value := _told(environment, field.name))}
    try:
        return msgspec.convert(told, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error))) from None


def environment_of(settings: Settings) -> dict[str, str]:
    """Write settings as the environment that `load` reads them from, for a child process."""
    pairs = ((field.name, getattr(settings, field.name)) for field in fields(Settings))
    return {_variable(name): str(value) for name, value in pairs if value is not None}


def _told(environment: Mapping[str, str], name: str) -> str | None:
    variable = _variable(name)
    if path := environment.get(variable + "_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{variable}_FILE cannot be read: {error.strerror}.") from None
    return environment.get(variable)


def _sentence(error: str) -> str:
    """Put msgspec's words, such as "Expected `int`, got `str` - at `$.partitions`", behind the variable."""
    what, _, place = error.partition(" - at ")
    if place:
        return f"{_variable(place.strip('`$.'))} is wrong: {what[0].lower()}{what[1:]}."
    name = _variable(what.partition("required field ")[2].strip("`"))
    return f"{name} is not set, nor is {name}_FILE."


def _variable(name: str) -> str:
    return _PREFIX + name.upper()

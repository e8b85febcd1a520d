"""Settings of services on a test's own servers."""

from typing import Any

from msgspec.structs import replace

from shared.settings import Settings


def own_settings(nats_url: str, database_url: str, **told: Any) -> Settings:  # noqa: ANN401 -- as Settings has them
    """Return the settings: free ports, and a log that may be without `sync_interval: always`."""
    safe = Settings(
        nats_url=nats_url,
        database_url=database_url,
        identifier_key="a key of the test only",
        allow_unsynced_log=True,
        mllp_port=0,
        fhir_port=0,
    )
    return replace(safe, **told)

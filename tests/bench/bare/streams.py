"""The bare pipeline's streams and consumers: ours of deploy/nats/streams.yaml under other names."""

from typing import Any, Final

import msgspec
from nats.aio.client import Client

from shared.eventlog.streams import declared
from tests.bench.bare.log import bare

STREAM: Final = "BARE_"
_OF_THE_PIPELINE: Final = {"CARE_0", "INBOUND", "OUTBOUND"}


async def make(client: Client) -> None:
    """Make them, with the settings that ours have."""
    for stream in declared(1):
        if stream.config["name"] not in _OF_THE_PIPELINE:
            continue
        name = STREAM + stream.config["name"]
        subjects = [bare(subject) for subject in stream.config["subjects"]]
        await _ask(client, f"STREAM.CREATE.{name}", {**stream.config, "name": name, "subjects": subjects})
        for consumer in stream.consumers:
            config = _consumer(consumer)
            body = {"stream_name": name, "config": config}
            await _ask(client, f"CONSUMER.CREATE.{name}.{config['name']}", body)


def _consumer(config: dict[str, Any]) -> dict[str, Any]:
    name = f"bare-{config['name']}"
    return {
        **config,
        "name": name,
        "durable_name": name,
        "deliver_subject": f"deliver.{name}",
        "deliver_group": name,
        "filter_subjects": [bare(subject) for subject in config["filter_subjects"]],
    }


async def _ask(client: Client, what: str, body: dict[str, Any]) -> None:
    reply = await client.request(f"$JS.API.{what}", msgspec.json.encode(body), timeout=10)
    if error := msgspec.json.decode(reply.data, type=dict[str, Any]).get("error"):
        raise RuntimeError(f"{what}: {error}")

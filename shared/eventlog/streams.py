"""Makes the server's streams, buckets and consumers what `deploy/nats/streams.yaml` says, idempotently."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from nats.aio.client import Client

DECLARATION: Final = Path(__file__).resolve().parents[2] / "deploy" / "nats" / "streams.yaml"
_PARTITIONS: Final = "throughcare.partitions"
_NANOSECONDS: Final = 1_000_000_000
_NOT_FOUND: Final = (10059, 10014)  # stream, consumer

Config = dict[str, Any]


class StreamDeclaration(Struct, frozen=True):
    """A stream's configuration in the server's words, with its durable consumers."""

    config: Config
    consumers: tuple[Config, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    streams: list[Config]
    buckets: list[Config]
    consumer_defaults: Config


class StreamsError(Exception):
    """The server refused a stream or a consumer; the text names it and gives the server's reason."""


def declared(
    partitions: int, path: Path = DECLARATION, replicas: int | None = None
) -> Iterator[StreamDeclaration]:
    """Read the declaration, a `CARE` stream for each partition; without `replicas` those stay."""
    file = msgspec.yaml.decode(path.read_bytes(), type=_File)
    for raw in file.streams:
        is_log = "{k}" in raw["name"]
        marked = {**raw, "metadata": {_PARTITIONS: str(partitions)}} if is_log else raw
        for number in range(partitions) if is_log else (0,):
            yield _stream(_numbered(marked, number), file.consumer_defaults, replicas)
    for bucket in file.buckets:
        yield StreamDeclaration(_bucket_stream(bucket, replicas))


async def apply(
    client: Client, partitions: int, path: Path = DECLARATION, replicas: int | None = None
) -> list[str]:
    """Create what is missing and update what differs; returns a line for each thing that was changed."""
    await _refuse_other_partitions(client, partitions)
    changed: list[str] = []
    for stream in declared(partitions, path, replicas):
        changed += await _apply_stream(client, stream.config)
        for consumer in stream.consumers:
            changed += await _apply_consumer(client, stream.config["name"], consumer)
    return changed


async def _refuse_other_partitions(client: Client, partitions: int) -> None:
    """Refuse a number of partitions that the log was not made with: entities would be looked for in vain."""
    info = await _ask(client, "STREAM.INFO.CARE_0", {})
    config: Config = {} if info is None else info["config"]
    metadata: dict[str, str] = config.get("metadata", {})
    made_with = metadata.get(_PARTITIONS)
    if made_with not in (None, str(partitions)):
        raise StreamsError(
            f"The log was made with {made_with} partitions, which cannot change; {partitions} are asked for. "
            f"Set THROUGHCARE_PARTITIONS={made_with}."
        )


async def require(client: Client, partitions: int, path: Path = DECLARATION) -> None:
    """Raise StreamsError unless every declared stream and consumer is there: services never declare one."""
    await _refuse_other_partitions(client, partitions)
    for stream in declared(partitions, path):
        name = stream.config["name"]
        await _expect(client, f"STREAM.INFO.{name}", f"stream {name}")
        for consumer in stream.consumers:
            place = f"{name}.{consumer['name']}"
            await _expect(client, f"CONSUMER.INFO.{place}", f"consumer {place.replace('.', '/')}")


async def _expect(client: Client, what: str, named: str) -> None:
    if await _ask(client, what, {}) is None:
        raise StreamsError(f"The {named} is not there: run `throughcare apply` first.")


async def _apply_stream(client: Client, config: Config) -> list[str]:
    name = config["name"]
    info = await _ask(client, f"STREAM.INFO.{name}", {})
    if info is None:
        await _ask(client, f"STREAM.CREATE.{name}", config)
        return [f"stream {name} created"]
    if _same(config, info["config"]):
        return []
    await _ask(client, f"STREAM.UPDATE.{name}", {**info["config"], **config})
    return [f"stream {name} updated"]


async def _apply_consumer(client: Client, stream: str, config: Config) -> list[str]:
    name = config["name"]
    info = await _ask(client, f"CONSUMER.INFO.{stream}.{name}", {})
    if info is not None and _same(config, info["config"]):
        return []
    await _ask(client, f"CONSUMER.CREATE.{stream}.{name}", {"stream_name": stream, "config": config})
    return [f"consumer {stream}/{name} {'created' if info is None else 'updated'}"]


def _same(wanted: Config, present: Config) -> bool:
    # The server leaves out what is false or zero, and a single filter may come back in its other form.
    filters = present.get("filter_subjects") or [present.get("filter_subject")]
    # Among the metadata are the server's own.
    ours = {key: value for key, value in present.get("metadata", {}).items() if not key.startswith("_nats.")}
    present = {**present, "filter_subjects": filters, "metadata": ours}
    return all(
        present.get(key) == value or (not value and not present.get(key)) for key, value in wanted.items()
    )


async def _ask(client: Client, what: str, body: Config) -> Config | None:
    reply = await client.request(f"$JS.API.{what}", json.dumps(body).encode(), timeout=10)
    answer: Config = json.loads(reply.data)
    error = answer.get("error")
    if error is None:
        return answer
    if error.get("err_code") in _NOT_FOUND:
        return None
    raise StreamsError(f"{what}: the server refused it: {error.get('description')}.")


def _stream(raw: Config, consumer_defaults: Config, replicas: int | None) -> StreamDeclaration:
    consumers = tuple(_consumer({**consumer_defaults, **consumer}) for consumer in raw.pop("consumers", ()))
    config = {**raw, **_copies(replicas)}
    for seconds in ("duplicate_window", "max_age"):
        if seconds in config:
            config[seconds] *= _NANOSECONDS
    return StreamDeclaration(config, consumers)


def _copies(replicas: int | None) -> Config:
    return {} if replicas is None else {"num_replicas": replicas}


def _consumer(raw: Config) -> Config:
    """Write a durable push consumer: each message goes to one of its service's processes."""
    name = raw["name"]
    return {
        **raw,
        "durable_name": name,
        "deliver_subject": f"deliver.{name}",
        "deliver_group": name,
        "ack_wait": raw["ack_wait"] * _NANOSECONDS,
    }


def _bucket_stream(raw: Config, replicas: int | None) -> Config:
    """Write a key-value bucket as the stream that it is (NATS ADR-8)."""
    return {
        "name": f"KV_{raw['name']}",
        "description": raw["description"],
        "subjects": [f"$KV.{raw['name']}.>"],
        "storage": raw["storage"],
        "max_age": raw["ttl"] * _NANOSECONDS,
        "max_msgs_per_subject": 1,
        "discard": "new",
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": False,
        **_copies(replicas),
    }


def _numbered(value: Any, number: int) -> Any:  # noqa: ANN401 -- any YAML value
    match value:
        case str():
            return value.replace("{k}", str(number))
        case list():
            return [_numbered(item, number) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {key: _numbered(item, number) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value

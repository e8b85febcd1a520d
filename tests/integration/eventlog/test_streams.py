"""`throughcare apply`: the server's streams become what is declared, however often it runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from shared.eventlog import streams
from shared.eventlog.connection import connect
from shared.settings import Settings

OTHERS = {
    "INBOUND",
    "OUTBOUND",
    "TIMERS",
    "PARKED",
    "KV_HELD",
    "KV_BATCHES",
    "KV_DELIVERY",
    "KV_SUBSCRIPTIONS",
}


async def ask(client: Client, what: str, body: object = None) -> dict[str, Any]:
    reply = await client.request(f"$JS.API.{what}", json.dumps(body or {}).encode(), timeout=5)
    answer: dict[str, Any] = json.loads(reply.data)
    return answer


async def update(client: Client, stream: str, **drift: object) -> None:
    config = (await ask(client, f"STREAM.INFO.{stream}"))["config"]
    answer = await ask(client, f"STREAM.UPDATE.{stream}", {**config, **drift})
    assert "error" not in answer, answer


@pytest.mark.parametrize("partitions", [1, 4])
async def test_applying_makes_a_stream_for_each_partition_and_again_changes_nothing(
    settings: Settings, partitions: int
):
    client = await connect(settings, name="test")
    changed = await streams.apply(client, partitions)
    log = {f"CARE_{k}" for k in range(partitions)}
    assert {line.split()[1] for line in changed if line.startswith("stream")} == log | OTHERS
    assert set((await ask(client, "STREAM.NAMES"))["streams"]) == log | OTHERS
    assert await streams.apply(client, partitions) == []
    await streams.require(client, partitions)
    await client.close()


async def test_another_number_of_partitions_than_the_log_was_made_with_is_refused(nats: Client):
    with pytest.raises(streams.StreamsError, match="THROUGHCARE_PARTITIONS=1"):
        await streams.apply(nats, 4)
    with pytest.raises(streams.StreamsError, match="cannot change"):
        await streams.require(nats, 4)


async def test_a_setting_that_drifted_is_put_back(nats: Client):
    await update(nats, "INBOUND", max_age=1_000_000_000 * 3600)
    assert await streams.apply(nats, 1) == ["stream INBOUND updated"]
    info = await ask(nats, "STREAM.INFO.INBOUND")
    assert info["config"]["max_age"] == 90 * 86_400 * 1_000_000_000
    assert await streams.apply(nats, 1) == []


@pytest.mark.parametrize("drift", [{"max_age": 3_600_000_000_000}, {"max_msgs": 10}, {"max_bytes": 4096}])
async def test_a_limit_that_somebody_put_on_the_log_is_taken_off(nats: Client, drift: dict[str, int]):
    await update(nats, "CARE_0", **drift)
    assert await streams.apply(nats, 1) == ["stream CARE_0 updated"]
    config = (await ask(nats, "STREAM.INFO.CARE_0"))["config"]
    assert (config.get("max_age", 0), config["max_msgs"], config["max_bytes"]) == (0, -1, -1)


async def test_no_stream_is_compressed_also_where_it_was(nats: Client):
    # nats-server 2.15.1: where two of three servers crash, a compressed one may lose a block (ADR 1).
    await update(nats, "CARE_0", compression="s2")
    assert await streams.apply(nats, 1) == ["stream CARE_0 updated"]
    for name in (await ask(nats, "STREAM.NAMES"))["streams"]:
        config = (await ask(nats, f"STREAM.INFO.{name}"))["config"]
        assert (name, config["compression"]) == (name, "none")


async def test_a_consumer_that_drifted_or_was_deleted_is_put_back(nats: Client):
    consumer = (await ask(nats, "CONSUMER.INFO.CARE_0.care_plan-0"))["config"]
    body = {"stream_name": "CARE_0", "config": {**consumer, "max_ack_pending": 1}}
    await ask(nats, "CONSUMER.CREATE.CARE_0.care_plan-0", body)
    await ask(nats, "CONSUMER.DELETE.INBOUND.intake")
    assert await streams.apply(nats, 1) == [
        "consumer CARE_0/care_plan-0 updated",
        "consumer INBOUND/intake created",
    ]
    assert await streams.apply(nats, 1) == []


async def test_a_service_is_told_which_stream_is_missing(settings: Settings):
    client = await connect(settings, name="test")
    with pytest.raises(streams.StreamsError, match=r"stream CARE_0 is not there: run `throughcare apply`"):
        await streams.require(client, 1)
    await streams.apply(client, 1)
    await ask(client, "STREAM.DELETE.TIMERS")
    with pytest.raises(streams.StreamsError, match=r"stream TIMERS is not there"):
        await streams.require(client, 1)
    await client.close()


async def test_a_service_is_told_which_consumer_is_missing(nats: Client):
    await ask(nats, "CONSUMER.DELETE.TIMERS.aftercare-timers")
    with pytest.raises(streams.StreamsError, match=r"consumer TIMERS/aftercare-timers is not there"):
        await streams.require(nats, 1)


async def test_an_event_can_be_neither_deleted_nor_purged(nats: Client):
    await nats.request("care.0.participant.one", b"{}", timeout=10)
    deleted = await ask(nats, "STREAM.MSG.DELETE.CARE_0", {"seq": 1})
    purged = await ask(nats, "STREAM.PURGE.CARE_0")
    assert (deleted["error"]["code"], purged["error"]["code"]) == (500, 500)
    assert (await ask(nats, "STREAM.INFO.CARE_0"))["state"]["messages"] == 1


async def test_the_log_cannot_be_made_deletable_again(nats: Client):
    config = (await ask(nats, "STREAM.INFO.CARE_0"))["config"]
    for guard in ("deny_delete", "deny_purge"):
        answer = await ask(nats, "STREAM.UPDATE.CARE_0", {**config, guard: False})
        assert "error" in answer


async def test_what_the_server_refuses_is_named(nats: Client, tmp_path: Path):
    declaration = tmp_path / "streams.yaml"
    wrong = '[{name: WRONG, subjects: ["inbound.>"], storage: file}]'
    declaration.write_text(f"streams: {wrong}\nbuckets: []\nconsumer_defaults: {{}}\n")
    with pytest.raises(streams.StreamsError, match=r"STREAM\.CREATE\.WRONG: the server refused it"):
        await streams.apply(nats, 1, declaration)

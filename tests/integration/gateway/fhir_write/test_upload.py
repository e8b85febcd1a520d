"""Many messages in one request: a line for each, in little memory, and again from where it stopped."""

import tracemalloc
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from shared.asyncapi.senders import SAMPLES
from tests.integration.gateway.fhir_write.conftest import Edge, outcome_of
from tests.unit.gateway.fhir_write.resources import alert, contained_referral, referral_transaction
from tests.unit.gateway.messages import discharge, referral

NDJSON = {"Content-Type": "application/x-ndjson"}
MANY = 3_000


def lines(response: httpx.Response) -> list[dict[str, object]]:
    assert response.status_code == 200, response.text
    return [msgspec.json.decode(line) for line in response.content.splitlines()]


async def test_fhir_and_hl7_are_taken_line_by_line(edge: Edge):
    told = [
        msgspec.json.encode(contained_referral("R-1")),
        msgspec.json.encode(alert()),
        b"",
        msgspec.json.encode(referral_transaction("R-2", "300")),
        msgspec.json.encode(discharge().decode()),
        b'{"resourceType": "Patient"}',
        b"no JSON",
    ]
    answer = await edge.client.post("/batch", content=b"\n".join(told), headers=NDJSON)
    *each, last = lines(answer)
    assert [line["status"] for line in each] == ["stored"] * 4 + ["refused"] * 2
    assert last == {"summary": {"stored": 4, "refused": 2, "complete": True}}
    assert await edge.count() == 5


async def test_what_was_stored_can_be_sent_as_a_native_event(edge: Edge):
    await edge.post("/fhir/ServiceRequest", contained_referral("R-1"))
    [envelope] = await edge.stored()
    event = msgspec.json.encode(envelope)
    first, _ = lines(await edge.client.post("/batch", content=event, headers=NDJSON))
    assert first["status"] == "stored"
    other = {**NDJSON, "Authorization": "Bearer token-of-other"}
    refused, _ = lines(await edge.client.post("/batch", content=event, headers=other))
    assert refused["status"] == "refused"


async def test_every_native_event_is_taken_as_a_sender_publishes_it(edge: Edge):
    samples = [msgspec.json.decode(path.read_bytes()) for path in sorted(SAMPLES.glob("*.json"))]
    content = b"\n".join(map(msgspec.json.encode, samples))
    *each, _ = lines(await edge.client.post("/batch", content=content, headers=NDJSON))
    assert [(line["status"], line["control_id"]) for line in each] == [
        ("stored", sample["id"]) for sample in samples
    ]
    assert {envelope.type for envelope in await edge.stored()} == {sample["type"] for sample in samples}


async def test_a_native_event_that_no_record_can_hold_is_refused_with_its_field(edge: Edge):
    event = msgspec.json.decode((SAMPLES / "Admission.json").read_bytes())
    event["data"]["visit"]["admitted"] = "2026-02-30T10:00:00Z"
    refused, _ = lines(await edge.client.post("/batch", content=msgspec.json.encode(event), headers=NDJSON))
    assert refused["status"] == "refused"
    assert "data.visit.admitted is no day or time of the calendar." in str(refused)


async def test_a_file_of_hl7_batches_is_split_into_its_messages(edge: Edge):
    content = b"FHS|^~\\&|\rBHS|^~\\&|\r" + referral() + b"\n" + discharge() + b"\r\nBTS|2\rFTS|1\r"
    headers = {"Content-Type": "application/hl7-v2"}
    *each, _ = lines(await edge.client.post("/batch", content=content, headers=headers))
    assert [line["status"] for line in each] == ["stored", "stored"]
    assert {envelope.data.source for envelope in await edge.stored()} == {"general"}


async def test_a_batch_goes_on_where_it_stopped_and_stores_nothing_twice(edge: Edge):
    told = [msgspec.json.encode(contained_referral(f"R-{number}")) for number in range(100)]
    headers = {**NDJSON, "Idempotency-Key": "night of 21 November"}
    await edge.client.post("/batch", content=b"\n".join(told[:70]), headers=headers)
    *each, _ = lines(await edge.client.post("/batch", content=b"\n".join(told), headers=headers))
    assert [line.get("again", False) for line in each] == [True] * 70 + [False] * 30
    assert await edge.count() == 100


async def test_another_batch_under_the_same_key_is_refused(edge: Edge):
    headers = {**NDJSON, "Idempotency-Key": "one"}
    for number, status in (("R-1", 200), ("R-2", 422)):
        content = msgspec.json.encode(contained_referral(number))
        answer = await edge.client.post("/batch", content=content, headers=headers)
        assert answer.status_code == status
    assert outcome_of(answer)["expression"] == ["http.Idempotency-Key"]


@pytest.mark.timeout(300)
async def test_thousands_of_messages_need_no_more_memory_than_some_hundred(edge: Edge):
    async def some(count: int, name: str) -> AsyncIterator[bytes]:
        for number in range(count):
            yield msgspec.json.encode(contained_referral(f"{name}-{number}")) + b"\n"

    async def peak(count: int, name: str) -> int:
        tracemalloc.start()
        answer = await edge.client.post("/batch", content=some(count, name), headers=NDJSON)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.content.splitlines()[-1].endswith(b'"complete":true}}')
        return most - 2 * len(answer.content)  # the client holds the answer, here in the same process

    few = await peak(500, "few")
    many = await peak(MANY, "many")
    assert await edge.count() == MANY + 500
    assert many < few + 4_000_000

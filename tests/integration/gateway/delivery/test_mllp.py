"""RRI^I12 to a sender's receiver, on a real log."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import msgspec
import pytest
import trustme
from msgspec.structs import replace

from services.console.embedded import NatsServer
from services.gateway.delivery.mllp_channel import control_id
from services.gateway.delivery.progress import Progress, ProgressStore
from services.gateway.mllp.tls import server_context
from services.gateway.receiver import Receiver
from shared.eventlog.errors import ConflictError
from tests.integration.gateway.delivery.edge import (
    Agreed,
    Edge,
    agreed,
    edge_of,
    gateway,
    referral_of,
    status_of,
    until,
)
from tests.integration.gateway.delivery.receivers import MllpReceiver, broken_receiver, free_port
from tests.unit.gateway.messages import referral


@pytest.fixture
async def edge(nats_server: NatsServer) -> AsyncGenerator[Edge]:
    async with edge_of(nats_server) as made:
        yield made


async def test_every_status_reaches_the_sender_in_order_and_once(edge: Edge):
    owed = [("R-1", "received"), ("R-2", "received"), ("R-1", "accepted"), ("R-1", "scheduled")]
    await edge.owe(*owed)
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 4)
        await edge.owe(("R-2", "rejected"))
        await until(lambda: len(hospital.messages) == 5)
        assert hospital.heard == [*owed, ("R-2", "rejected")]
        last = hospital.messages[-1]
        assert last.kind == ("RRI", "I12")
        assert [last.text("MSH", field) for field in (5, 6)] == ["LAKEADT", "LAKESIDE"]
        assert last.text("RF1", 11) == str(referral_of("R-2"))
        assert last.text("NTE", 3) == "no-capacity"
        assert last.control_id == control_id(status_of("R-2", "rejected").id)


async def test_a_referral_is_answered_to_its_own_msh_3_and_4_as_they_were_sent(edge: Edge):
    raw = referral().replace(b"LAKEADT|LAKESIDE", "^1.2.3.4^ISO|Hôpital \\T\\ Cie".encode("latin-1"), 1)
    receiver = Receiver(
        edge.log.publish,
        profiles=Agreed(
            agreed().replace("LAKEADT, facility: LAKESIDE", "1.2.3.4, facility: Hôpital & Cie")
        ).now,
        largest_message=100_000,
        largest_payload=lambda: 1_000_000,
    )
    assert b"|AA|" in (await receiver.receive(raw) or b"")
    owed = replace(status_of("R-5501", "accepted"), inboundsequence=1)
    await edge.log.publish("outbound.lake.status", msgspec.json.encode(owed), {})
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 1)
    told = hospital.messages[0]
    assert [told.text("MSH", 5, part) for part in (1, 2, 3)] == ["", "1.2.3.4", "ISO"]
    assert told.text("MSH", 6) == "Hôpital & Cie"
    assert told.text("PID", 5) == "Okafor"


async def test_a_person_without_number_and_name_has_ours_and_an_unspecified_one(edge: Edge):
    await edge.owe(("R-1", "received"))
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 1)
    told, participant = hospital.messages[0], status_of("R-1", "received").data.participant
    assert [told.text("PID", 3, part) for part in (1, 4, 5)] == [str(participant), "THROUGHCARE", "PI"]
    assert (told.text("PID", 5), told.text("PID", 5, 7)) == ("", "U")


async def test_what_another_sender_is_owed_is_not_told(edge: Edge):
    await edge.owe(("X-1", "accepted"), source="elsewhere")
    await edge.owe(("R-1", "accepted"))
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        await until(lambda: len(hospital.messages) == 1)
    assert hospital.heard == [("R-1", "accepted")]


async def test_a_receiver_that_was_down_is_told_everything_in_order_when_it_is_back(edge: Edge):
    port = free_port()
    await edge.owe(("R-1", "received"), ("R-1", "accepted"))
    async with gateway(edge, agreed(port)) as deliveries:
        await edge.until_progress(lambda progress: progress.attempts >= 3)
        trouble = deliveries.trouble()
        assert trouble is not None
        assert trouble.startswith("lake.mllp: its receiver was not reached")
        async with MllpReceiver(port) as hospital:
            await until(lambda: len(hospital.messages) == 2)
            assert hospital.heard == [("R-1", "received"), ("R-1", "accepted")]
            await until(lambda: deliveries.trouble() is None)


async def test_a_receiver_whose_address_is_corrected_is_told_at_once_not_after_the_pause(edge: Edge):
    held = Agreed(agreed(free_port()))
    await edge.owe(("R-1", "received"))
    async with MllpReceiver() as hospital, gateway(edge, held, first=7_200.0, longest=7_200.0):
        await edge.until_progress(lambda progress: progress.attempts == 1)
        held.change(agreed(hospital.port))
        await until(lambda: hospital.heard == [("R-1", "received")])


async def test_told_again_from_a_time_on_the_newest_is_told_last_also_where_something_is_refused(edge: Edge):
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port), first=0.5, longest=0.5):
        owed = [("R-1", "received"), ("R-2", "received"), ("R-1", "accepted"), ("R-2", "accepted")]
        await edge.owe(*owed)
        await edge.until_progress(lambda progress: progress.delivered == 4)
        hospital.refuses = {"R-1"}
        await edge.owe(("R-1", "completed"), ("R-2", "rejected"))
        await edge.until_progress(lambda progress: progress.delivered == 5)
        hospital.refuses.clear()
        hospital.messages.clear()
        await change(edge, lambda progress: progress.again_after(1))
        await edge.until_progress(lambda progress: progress.delivered == 10)
        assert hospital.heard == [*owed[1:], ("R-1", "completed"), ("R-2", "rejected")]


async def change(edge: Edge, asked: Callable[[Progress], Progress]) -> None:
    """Ask as the console does, beside the gateway that leads."""
    store = ProgressStore(edge.log)
    while True:
        kept = await store.read("lake.mllp")
        try:
            await store.write("lake.mllp", asked(kept.progress), kept.revision)
        except ConflictError:
            continue
        return


async def test_a_message_that_is_refused_holds_up_its_referral_only(edge: Edge):
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)) as deliveries:
        hospital.refuses = {"R-1"}
        await edge.owe(("R-1", "received"), ("R-1", "accepted"), ("R-2", "received"), ("R-2", "accepted"))
        await until(lambda: len(hospital.heard) == 2)
        assert hospital.heard == [("R-2", "received"), ("R-2", "accepted")]
        refused = await edge.progress()
        assert [each.referral for each in refused.waiting] == [referral_of("R-1")] * 2
        assert "1 refused by the receiver, 1 behind" in (deliveries.trouble() or "")
        hospital.messages.clear()
        hospital.refuses = set()
        await until(lambda: len(hospital.messages) >= 2)
        assert hospital.heard == [("R-1", "received"), ("R-1", "accepted")]


async def test_of_a_refusal_of_half_a_megabyte_the_beginning_is_kept(edge: Edge):
    async with MllpReceiver() as hospital, gateway(edge, agreed(hospital.port)):
        hospital.refuses, hospital.because = {"R-1"}, "No. " * 125_000
        await edge.owe(("R-1", "received"), ("R-2", "received"))
        await until(lambda: hospital.heard == [("R-2", "received")])
        refused = await edge.until_progress(lambda progress: progress.delivered == 1)
        assert (refused.first_problem or "").startswith("AE: RF1-6: No. No. ")
        assert len(refused.first_problem or "") == 200


async def test_after_a_crash_between_the_answer_and_our_note_it_is_told_again_as_the_same(edge: Edge):
    await edge.owe(("R-1", "received"))
    store = ProgressStore(edge.log)
    async with MllpReceiver() as hospital:
        async with gateway(edge, agreed(hospital.port)):
            await edge.until_progress(lambda progress: progress.cursor > 0)
        await store.forget("lake.mllp")  # as if the note had never been written
        async with gateway(edge, agreed(hospital.port)):
            await until(lambda: len(hospital.messages) == 2)
        assert len(set(hospital.control_ids)) == 1


async def test_what_was_delivered_is_not_delivered_again_after_a_restart(edge: Edge):
    async with MllpReceiver() as hospital:
        for count, status in enumerate(("received", "accepted", "scheduled"), 1):
            async with gateway(edge, agreed(hospital.port)):
                await edge.owe(("R-1", status))
                await edge.until_progress(lambda progress: progress.delivered == count)  # noqa: B023 -- awaited
        assert [status for _, status in hospital.heard] == ["received", "accepted", "scheduled"]


async def test_of_two_gateways_one_delivers_and_the_other_goes_on_when_it_stops(edge: Edge):
    numbers = [("R-1", status) for status in ("received", "accepted", "scheduled", "completed")]
    async with MllpReceiver(seconds=0.05) as hospital:
        async with gateway(edge, agreed(hospital.port)):
            async with gateway(edge, agreed(hospital.port)):
                await edge.owe(*numbers[:2])
                await edge.until_progress(lambda progress: progress.delivered == 2)
            await edge.owe(*numbers[2:])
            await until(lambda: len(hospital.messages) == 4)
        assert hospital.heard == numbers
        assert hospital.at_once == 1


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "no answer within 0.9 seconds"),
        (b"", "closed the connection without an answer"),
        (b"\x0bMSH|^~\\&|LAKE", "closed the connection without an answer"),
        (b"\x0bhello\x1c\r", "cannot be read"),
        (b"\x0bMSH|^~\\&|LAKE\rMSA|AA|1\x1c\r", "It answered another message"),
    ],
    ids=["says nothing", "hangs up", "hangs up within its answer", "says something else", "another's"],
)
async def test_a_receiver_that_is_broken_is_told_again_when_it_works(
    edge: Edge, answer: bytes | None, problem: str
):
    port = free_port()
    await edge.owe(("R-1", "received"), ("R-1", "accepted"))
    async with gateway(edge, agreed(port)):
        async with broken_receiver(port, answer) as heard:
            progress = await edge.until_progress(lambda progress: progress.attempts >= 2)
            assert problem in (progress.problem or "")
        assert len({message.split(b"|")[9] for message in heard}) == 1, "all are the same message"
        async with MllpReceiver(port) as hospital:
            await until(lambda: len(hospital.messages) == 2)
            assert hospital.heard == [("R-1", "received"), ("R-1", "accepted")]
            well = await edge.until_progress(lambda progress: progress.delivered == 2)
            assert (well.attempts, well.problem, well.tried) == (0, None, 0)


async def test_over_tls_a_receiver_is_told_only_where_its_authority_vouches_for_it(
    edge: Edge, tmp_path: Path
):
    files = {name: tmp_path / f"{name}.pem" for name in ("receiver", "authority", "another")}
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(files["receiver"]))
    authority.cert_pem.write_to_path(str(files["authority"]))
    trustme.CA().cert_pem.write_to_path(str(files["another"]))
    await edge.owe(("R-1", "received"))
    async with MllpReceiver(tls=server_context(files["receiver"])) as hospital:
        async with gateway(edge, agreed(hospital.port, authority=files["another"])) as deliveries:
            progress = await edge.until_progress(lambda progress: progress.attempts >= 2)
            assert "certificate verify failed" in (progress.problem or "")
            assert "not reached" in (deliveries.trouble() or "")
        assert hospital.messages == []
        async with gateway(edge, agreed(hospital.port, authority=files["authority"])):
            await until(lambda: hospital.heard == [("R-1", "received")])


async def test_what_the_log_let_go_of_while_its_receiver_was_away_is_counted_and_said(edge: Edge):
    port = free_port()
    await edge.owe(("R-1", "received"))
    async with gateway(edge, agreed(port)) as deliveries:
        await edge.until_progress(lambda progress: progress.attempts >= 1)
        await edge.client.jetstream().purge_stream("OUTBOUND")  # pyright: ignore[reportUnknownMemberType] -- its **opts have no types
        await edge.owe(("R-2", "received"))
        async with MllpReceiver(port) as hospital:
            await until(lambda: hospital.heard == [("R-2", "received")])
        progress = await edge.until_progress(lambda progress: progress.delivered == 1)
        assert progress.lost == 1
        assert "1 lost or more" in (deliveries.trouble() or "")

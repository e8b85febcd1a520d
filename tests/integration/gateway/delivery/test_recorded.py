"""The loop closed: what intake decides reaches the sender, and the record says that it arrived."""

import asyncio

import msgspec

from services.console.embedded import NatsServer
from services.gateway.delivery.progress import ProgressStore
from shared.eventlog.log import Log
from shared.events.referral import ReferralStatusDelivered
from shared.events.registry import REGISTRY
from tests.integration.gateway.delivery.edge import agreed, edge_of, gateway, until
from tests.integration.gateway.delivery.receivers import MllpReceiver
from tests.integration.intake.conftest import open_intake, projecting, settings_of
from tests.integration.intake.hospital import Hospital, mrn, subject_of


async def _deliveries(log: Log) -> list[ReferralStatusDelivered]:
    events = [
        REGISTRY.decode(stored.payload).data async for stored in log.tail("CARE_0", "care.0.referral.>", 0)
    ]
    return [event for event in events if isinstance(event, ReferralStatusDelivered)]


async def test_an_arrival_is_recorded_once_also_when_it_is_told_again(nats_server: NatsServer, database: str):
    settings = settings_of(nats_server, database, 1)
    async with (
        edge_of(nats_server) as edge,
        projecting(edge.client, settings),
        open_intake(settings),
        MllpReceiver() as hospital,
        gateway(edge, agreed(hospital.port)),
    ):
        sent = Hospital("lake").refers("R-1", mrn("4711"))
        await edge.log.publish(subject_of(sent), msgspec.json.encode(sent), {})
        await until(lambda: len(hospital.messages) == 1)
        assert hospital.heard == [("R-1", "received")]
        assert hospital.messages[0].text("PID", 3) == "4711"
        assert hospital.messages[0].text("PID", 5) == "Lovelace"
        while not await _deliveries(edge.log):  # noqa: ASYNC110 (it happens in servers)
            await asyncio.sleep(0.01)
        kept = await ProgressStore(edge.log).read("lake.mllp")
        [told] = await _deliveries(edge.log)
        assert (told.status, told.to, told.way, told.answer) == ("received", "lake", "mllp", "AA")
        [first] = hospital.messages
        while True:
            kept = await ProgressStore(edge.log).read("lake.mllp")
            if not kept.progress.unrecorded:
                break
        again = kept.progress.again({kept.progress.cursor: told.referral})
        await ProgressStore(edge.log).write("lake.mllp", again, kept.revision)
        await until(lambda: len(hospital.messages) == 2)
        assert hospital.messages[1].control_id == first.control_id
        while (await edge.progress()).waiting or (await edge.progress()).unrecorded:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(await _deliveries(edge.log)) == 1

"""Every published message gets its answer over MLLP, and what is taken becomes what the domain says."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from services.gateway.mllp.batch import split_messages
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.server import serve
from services.gateway.profiles import without_file
from services.gateway.receiver import Receiver
from shared.events.base import Coding, Identifier
from shared.events.inbound import (
    AppointmentNotice,
    Cancellation,
    InboundEnvelope,
    InboundMessage,
    Merge,
    Referral,
    ResultReport,
    Transfer,
    Visit,
)

# What each published message becomes, and where it happened in time; read off the files by hand.
STANDARD = {
    "ADT-A01-01": ("Admission", "2015-02-08T11:34:19+01:10"),
    "ADT-A02-01": ("Transfer", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A03-01": ("Discharge", "2015-02-09T11:34:19+01:10"),
    "ADT-A04-01": ("Admission", "2015-02-08T11:34:19+01:10"),
    "ADT-A05-01": ("Admission", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A06-01": ("Transfer", "2021-01-15T16:00:10+02:15"),
    "ADT-A07-01": ("Transfer", "2021-01-15T16:00:10+02:15"),
    "ADT-A08-01": ("DemographicsUpdate", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A11-01": ("AdmissionCancellation", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A13-01": ("DischargeCancellation", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A28-01": ("DemographicsUpdate", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A31-01": ("DemographicsUpdate", "2021-08-17T15:19:43.400000+02:00"),
    "ADT-A40-01": ("Merge", "2019-04-23T15:01:37+02:15"),
    "ORU-R01-01": ("ResultReport", "2012-03-14T12:59:00-02:15"),
    "REF-I12-01": ("Referral", "2022-01-25T16:20:00+00:00"),
    "REF-I14-01": ("Cancellation", "2022-01-25T16:20:00+00:00"),
    "SIU-S12-01": ("AppointmentNotice", "2021-09-14T11:20:00+02:15"),
    "SIU-S13-01": ("AppointmentNotice", "2021-09-20T11:26:00+02:15"),
    "SIU-S14-01": ("AppointmentNotice", "2021-09-20T11:26:00+02:15"),
    "SIU-S15-01": ("AppointmentNotice", "2021-09-23T11:26:00+02:15"),
    "SIU-S26-01": ("AppointmentNotice", "2021-09-24T10:00:00+02:15"),
}

# Results with no instrument of ours: what they test is their text, which is kept as it came.
REPORTS = {
    "decoded-br": (),
    "escape-formatting": ("MRN-FM-001",),
    "escape-highlight": ("MRN-HI-001",),
    "truncation-char-msh2": ("MRN-V27-001",),
    "unknown-escapes": ("MRN-UE-001",),
}

# What each edge case asks of a receiver, beyond an answer: the identifier and the names that it is about.
EDGE_CASES = {
    "consecutive-delimiters": ("MRN-CD-001", "Doe", ("John",)),
    "crlf-line-endings": ("MRN-CRLF-001", "Doe", ("John",)),
    "custom-msh-delimiters": ("MRN-CMD-001", "Doe", ("John",)),
    "empty-fields": (
        "MRN-EF-001",
        None,
        (),
    ),  # its identifier stands in PID-4, and PID-6 is no name of theirs
    "embedded-delimiters": ("MRN77777", "Smith|Jones", ("John^Public", "Q&Roe")),
    "lf-line-endings": ("MRN-LF-001", "Doe", ("John",)),
    "missing-optional-segments": ("MRN-MOS-001", "Doe", ("John",)),
    "mixed-line-endings": ("MRN-MIX-001", "Doe", ("John",)),
    "no-trailing-newline": ("MRN-NTN-001", "Doe", ("John",)),
    "null-fields": ("MRN99999", "Doe", ("Jane",)),
    "trailing-newline": ("MRN-TN-001", "Doe", ("John",)),
    "unicode-names": ("MRN-UN-001", "Müller", ("Jürgen",)),
}


class Malformed(NamedTuple):
    """Where what is wrong with a message is, and by which control id its answer names it."""

    place: str
    control_id: str = ""


MALFORMED = {
    "empty-input": Malformed("MSH"),
    "invalid-encoding-characters": Malformed("MSH-2", "MSGMAL001"),
    "msh-too-short": Malformed("MSH-2"),
    "no-msh-segment": Malformed("MSH"),
}


class Gateway:
    """A gateway on a port, with a log that keeps everything in memory."""

    def __init__(self, port: int, stored: list[tuple[str, InboundEnvelope]]) -> None:
        self.port = port
        self.stored = stored

    async def answers(self, file: Path) -> list[Answer]:
        return await self.answered(split_messages(file.read_bytes()))  # noqa: ASYNC240 - a few kilobytes

    async def answered(self, messages: Iterable[bytes]) -> list[Answer]:
        """Send messages over one connection."""
        return [answer async for answer in send("127.0.0.1", self.port, messages, timeout=10)]

    async def answer(self, file: Path) -> Answer:
        [answer] = await self.answers(file)
        return answer

    async def taken(self, file: Path) -> InboundMessage:
        assert (await self.answer(file)).is_accepted, file.name
        return self.stored[-1][1].data


@asynccontextmanager
async def gateway() -> AsyncGenerator[Gateway]:
    stored: list[tuple[str, InboundEnvelope]] = []

    async def store(subject: str, payload: bytes, headers: dict[str, str]) -> int:
        envelope = msgspec.json.decode(payload, type=InboundEnvelope)
        assert headers["Nats-Msg-Id"] == str(envelope.id)
        stored.append((subject, envelope))
        return len(stored)

    receiver = Receiver(
        store,
        profiles=lambda: without_file(ZoneInfo("America/New_York")),
        largest_message=1_000_000,
        largest_payload=lambda: 8_000_000,
    )
    server = await serve(receiver.receive, "127.0.0.1", 0)
    try:
        yield Gateway(server.port, stored)
    finally:
        await server.close()


async def test_every_standard_message_is_taken_for_what_it_is(hl7v2: Path):
    files = sorted((hl7v2 / "standard").glob("*.hl7"))
    assert {file.stem for file in files} == set(STANDARD)
    async with gateway() as edge:
        for file in files:
            message = await edge.taken(file)
            assert (type(message).__name__, message.occurred) == STANDARD[file.stem], file.name
            assert message.original.trigger == "^".join(file.stem.split("-")[:2])
            assert message.person.identifiers, file.name


async def test_every_edge_case_is_read_as_meant(hl7v2: Path):
    files = sorted((hl7v2 / "edge-cases").glob("*.hl7"))
    assert {file.stem for file in files} == {*EDGE_CASES, *REPORTS}
    async with gateway() as edge:
        for file in files:
            message = await edge.taken(file)
            if file.stem in REPORTS:
                assert isinstance(message, ResultReport), file.name
                assert tuple(each.value for each in message.person.identifiers) == REPORTS[file.stem]
                assert message.original.text == file.read_bytes().decode().lstrip()
                continue
            identifier, family, given = EDGE_CASES[file.stem]
            person = message.person
            assert person.identifiers == (Identifier("HOSP", identifier, "MR"),), file.name
            assert (person.demographics.family, person.demographics.given) == (family, given)


async def test_every_malformed_message_is_rejected_at_its_place_and_the_connection_goes_on(hl7v2: Path):
    files = sorted((hl7v2 / "malformed").glob("*.hl7"))
    assert {file.stem for file in files} == set(MALFORMED)
    well_formed = (hl7v2 / "standard" / "ADT-A03-01.hl7").read_bytes()
    async with gateway() as edge:
        for file in files:
            refused, taken = await edge.answered([file.read_bytes(), well_formed])
            assert (refused.code, refused.control_id) == ("AR", MALFORMED[file.stem].control_id), file.name
            assert refused.error.startswith(f"{MALFORMED[file.stem].place}: "), file.name
            assert taken.code == "AA"
        assert {envelope.data.original.trigger for _, envelope in edge.stored} == {"ADT^A03"}


async def test_a03_a11_and_a13_share_a_control_id_and_are_no_duplicates(hl7v2: Path):
    async with gateway() as edge:
        for trigger in ("A03", "A11", "A13", "A03"):
            await edge.taken(hl7v2 / "standard" / f"ADT-{trigger}-01.hl7")
        ids = [envelope.id for _, envelope in edge.stored]
        assert len(set(ids)) == 3
        assert ids[0] == ids[3]


async def test_the_standard_referral_becomes_what_the_domain_says(hl7v2: Path):
    async with gateway() as edge:
        message = await edge.taken(hl7v2 / "standard" / "REF-I12-01.hl7")
        assert edge.stored[0][0] == "inbound.ghh-ghhsfacility.referral"
    assert isinstance(message, Referral)
    assert message.placer == Identifier("EPIC", "226839", "PLAC")
    assert message.priority == "routine"
    assert message.referrer.name == "ROBERT POWELL"
    assert message.referrer.organisation == "GOOD HEALTH HOSPITAL"
    assert message.reasons[0] == Coding("icd-10-cm", "K63.3", "Ulcer of Intestine")
    assert message.requested_on == "2022-01-25"
    assert [identifier.value for identifier in message.person.identifiers] == ["PATID1234", "123456789"]
    assert message.insurance[0].member_id == "548851236L"


async def test_the_standard_discharge_becomes_what_the_domain_says(hl7v2: Path):
    async with gateway() as edge:
        message = await edge.taken(hl7v2 / "standard" / "ADT-A03-01.hl7")
        assert edge.stored[0][0] == "inbound.adtapp-ghhsfacility.adt"
    visit = getattr(message, "visit", None)
    assert visit == Visit(
        facility="HOMERTON UNIVER",
        visit_number="40007716",
        encounter_class="PRENC",
        admitted="2015-02-08T11:34:19+01:10",
        discharged="2015-02-09T11:34:19+01:10",
        disposition="Admitted as Inpatient",
        diagnoses=(Coding("snomed", "422504002", "Ischemic stroke(disorder)"),),
    )
    assert message.person.deceased
    assert message.occurred == "2015-02-09T11:34:19+01:10"


async def test_a_transfer_tells_the_new_place_and_class(hl7v2: Path):
    async with gateway() as edge:
        inpatient = await edge.taken(hl7v2 / "standard" / "ADT-A06-01.hl7")
        outpatient = await edge.taken(hl7v2 / "standard" / "ADT-A07-01.hl7")
    assert isinstance(inpatient, Transfer)
    assert (inpatient.location, inpatient.visit.encounter_class) == ("SPROOM ROOM2 BED-1", "IMP")
    assert isinstance(outpatient, Transfer)
    assert (outpatient.location, outpatient.visit.encounter_class) == ("OPD 0001 01", "AMB")


async def test_the_standard_merge_names_who_survives_and_wants_no_answer(hl7v2: Path):
    async with gateway() as edge:
        file = hl7v2 / "standard" / "ADT-A40-01.hl7"
        message = await edge.taken(file)
        assert (await edge.answer(file)).unasked
    assert isinstance(message, Merge)
    assert message.person.identifiers == (Identifier("BCBS", "12345", "MR"),)
    assert message.prior == (Identifier("BCBS", "56789", "MR"),)


async def test_the_standard_cancellation_names_the_referral_that_it_withdraws(hl7v2: Path):
    async with gateway() as edge:
        message = await edge.taken(hl7v2 / "standard" / "REF-I14-01.hl7")
        assert edge.stored[0][0] == "inbound.ghh-ghhsfacility.referral"
    assert isinstance(message, Cancellation)
    assert message.placer == Identifier("EPIC", "226839", "PLAC")


async def test_the_standard_appointments_are_one_appointment_that_moves_on(hl7v2: Path):
    async with gateway() as edge:
        told = [
            await edge.taken(hl7v2 / "standard" / f"SIU-{trigger}-01.hl7")
            for trigger in ("S12", "S13", "S14", "S15", "S26")
        ]
        assert {subject for subject, _ in edge.stored} == {"inbound.schapp-ghhsfacility.appointment"}
    notices = [message for message in told if isinstance(message, AppointmentNotice)]
    assert [notice.status for notice in notices] == [
        "booked",
        "rescheduled",
        "modified",
        "cancelled",
        "noshow",
    ]
    assert {notice.appointment for notice in notices} == {Identifier("GHHSFacility", "36996", "FILL")}
    assert {(notice.start, notice.end) for notice in notices} == {
        ("2021-09-24T09:30:00+02:15", "2021-09-24T10:20:00+02:15")
    }
    assert [notice.location for notice in notices] == ["055 Room01"] * 2 + ["055 Room02"] + ["055 Room01"] * 2

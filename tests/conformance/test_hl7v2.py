"""Every published message gets its answer over MLLP, and what is taken becomes what the domain says."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from services.gateway.mllp.batch import split_messages
from services.gateway.mllp.client import Answer, send
from services.gateway.mllp.server import serve
from services.gateway.profiles import without_file
from services.gateway.receiver import Receiver
from shared.events.base import Coding, Identifier
from shared.events.inbound import InboundEnvelope, InboundMessage, Referral, Visit

TAKEN = {
    "REF-I12": "Referral",
    "ADT-A01": "Admission",
    "ADT-A03": "Discharge",
    "ADT-A08": "DemographicsUpdate",
    "ADT-A11": "AdmissionCancellation",
    "ADT-A13": "DischargeCancellation",
}

# What each edge case asks of a receiver, beyond an answer: the identifier and the names that it is about.
EDGE_CASES = {
    "consecutive-delimiters": ("MRN-CD-001", "Doe", ("John",)),
    "crlf-line-endings": ("MRN-CRLF-001", "Doe", ("John",)),
    "custom-msh-delimiters": ("MRN-CMD-001", "Doe", ("John",)),
    "embedded-delimiters": ("MRN77777", "Smith|Jones", ("John^Public", "Q&Roe")),
    "lf-line-endings": ("MRN-LF-001", "Doe", ("John",)),
    "missing-optional-segments": ("MRN-MOS-001", "Doe", ("John",)),
    "mixed-line-endings": ("MRN-MIX-001", "Doe", ("John",)),
    "no-trailing-newline": ("MRN-NTN-001", "Doe", ("John",)),
    "trailing-newline": ("MRN-TN-001", "Doe", ("John",)),
    "unicode-names": ("MRN-UN-001", "Müller", ("Jürgen",)),
}


class Gateway:
    """A gateway on a port, with a log that keeps everything in memory."""

    def __init__(self, port: int, stored: list[tuple[str, InboundEnvelope]]) -> None:
        self.port = port
        self.stored = stored

    async def answers(self, file: Path) -> list[Answer]:
        messages = split_messages(file.read_bytes())  # noqa: ASYNC240 - a few kilobytes
        return [answer async for answer in send("127.0.0.1", self.port, messages, timeout=10)]

    async def answer(self, file: Path) -> Answer:
        [answer] = await self.answers(file)
        return answer

    async def taken(self, file: Path) -> InboundMessage:
        assert (await self.answer(file)).code in {"AA", "CA"}
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


async def test_every_standard_message_of_a_type_we_take_is_taken(hl7v2: Path):
    async with gateway() as edge:
        for prefix, name in TAKEN.items():
            [file] = (hl7v2 / "standard").glob(f"{prefix}-*.hl7")
            message = await edge.taken(file)
            assert type(message).__name__ == name
            assert message.original.trigger == prefix.replace("-", "^")


async def test_every_other_standard_message_is_rejected_by_name(hl7v2: Path):
    async with gateway() as edge:
        for file in sorted((hl7v2 / "standard").glob("*.hl7")):
            code, trigger, *_ = file.stem.split("-")
            if f"{code}-{trigger}" in TAKEN:
                continue
            answer = await edge.answer(file)
            assert answer.code in {"AR", "CR"}, file.name
            assert f"{code}^{trigger} is unsupported" in answer.error
        assert edge.stored == []


async def test_every_edge_case_is_read_as_meant_or_rejected_by_name(hl7v2: Path):
    async with gateway() as edge:
        for file in sorted((hl7v2 / "edge-cases").glob("*.hl7")):
            if file.stem not in EDGE_CASES:
                answer = await edge.answer(file)
                assert (answer.code, "unsupported" in answer.error) == ("AR", True), file.name
                continue
            identifier, family, given = EDGE_CASES[file.stem]
            person = (await edge.taken(file)).person
            assert person.identifiers == (Identifier("HOSP", identifier, "MR"),), file.name
            assert (person.demographics.family, person.demographics.given) == (family, given)


async def test_every_malformed_message_is_rejected_with_its_segment(hl7v2: Path):
    async with gateway() as edge:
        for file in sorted((hl7v2 / "malformed").glob("*.hl7")):
            answer = await edge.answer(file)
            assert answer.code == "AR", file.name
            assert answer.error.startswith("MSH"), file.name
        assert edge.stored == []


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

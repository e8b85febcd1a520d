"""Where an entity's events stand: pinned, because the data lies by it."""

from uuid import UUID

import pytest

from shared.commands.intake import AcceptReferral, ClaimIdentifier
from shared.eventlog.subjects import EntityKey, key_of, parse_subject, partition_of, stream_of
from shared.events.base import Identifier
from tests.integration.eventlog.stories import NOW, register

ADA = UUID("0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b")
BEN = UUID("0190a1b2-c3d4-7e5f-8a6b-000000000002")


@pytest.mark.parametrize(
    ("key", "of_1", "of_4", "of_256"),
    [
        (str(ADA), 0, 3, 191),
        (str(BEN), 0, 3, 207),
        ("6f1ed002ab5595859014ebf0951522d9", 0, 3, 91),
        ("", 0, 0, 180),
    ],
)
def test_a_keys_partition_never_changes(key: str, of_1: int, of_4: int, of_256: int):
    assert (partition_of(key, 1), partition_of(key, 4), partition_of(key, 256)) == (of_1, of_4, of_256)


@pytest.mark.parametrize("partitions", [2, 3, 4, 16])
def test_participants_spread_evenly_over_the_partitions(partitions: int):
    counts = [0] * partitions
    for number in range(2000):
        counts[partition_of(str(UUID(int=number)), partitions)] += 1
    assert min(counts) > 0.75 * 2000 / partitions


def test_an_entitys_subject_holds_partition_category_and_entity():
    key = key_of(register(ADA, "1"), 4)
    assert key == EntityKey(partition_of(str(ADA), 4), "participant", str(ADA))
    assert key.subject == f"care.{key.partition}.participant.{ADA}"
    assert key.stream == stream_of(key.partition) == f"CARE_{key.partition}"
    assert parse_subject(key.subject) == key


def test_a_participants_referral_lies_in_the_participants_partition():
    accept = AcceptReferral(id=BEN, participant=ADA, actor="c:7", now=NOW, referral=BEN, owner="c:7")
    key = key_of(accept, 4)
    assert (key.category, key.entity) == ("referral", str(BEN))
    assert key.partition == key_of(register(ADA, "1"), 4).partition


def test_a_claim_lies_by_the_identifiers_key_since_its_participant_may_not_be_known():
    claims = [
        ClaimIdentifier(
            id=BEN,
            participant=who,
            actor="c:7",
            now=NOW,
            key="6f1e",
            identifier=Identifier("GENHOSP", "4711"),
        )
        for who in (ADA, BEN)
    ]
    assert {key_of(claim, 16) for claim in claims} == {
        EntityKey(partition_of("6f1e", 16), "identity", "6f1e")
    }


@pytest.mark.parametrize(
    "subject", ["inbound.0.participant.x", "care.0.participant", "care.x.participant.y", "care.0.a.b.c", ""]
)
def test_what_is_no_subject_of_the_log_is_not_read_as_one(subject: str):
    with pytest.raises(ValueError):  # noqa: PT011 (whatever its text)
        parse_subject(subject)

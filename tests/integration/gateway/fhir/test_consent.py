"""What the program recorded is read under a consent, with a notice, and not before that is recorded."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from services.console.waiting import until
from shared.events.base import EventData
from shared.events.consent import ConsentGranted, ConsentRevoked, DisclosureMade, DisclosureRefused
from shared.events.referral import InformationRequested, ReferralInterimNoteSent
from tests.integration.gateway.fhir.reading import Watched, edge, project
from tests.integration.gateway.fhir.record import CONSENT, GENERAL, OTHER, ROBIN, robin
from tests.unit.timeline.facts import GOAL, REFERRAL

Opened = Callable[..., AbstractAsyncContextManager[Watched]]
PROGRAM = ("Goal", "CarePlan", "EpisodeOfCare")
REVOKED = ConsentRevoked(consent=CONSENT.consent)
ENDED = "2026-03-31"  # long ago: yesterday by UTC may be today at the site
NOTE = ReferralInterimNoteSent(referral=REFERRAL, note="Comes to every session.")


@pytest.fixture
def opened(nats_url: str, database: str) -> Opened:
    @asynccontextmanager
    async def with_events(*events: EventData, **told: str) -> AsyncGenerator[Watched]:
        await project(database, robin(*events))
        async with edge(nats_url, database, **told) as one:
            yield one

    return with_events


def security(resource: dict[str, Any]) -> set[str]:
    return {each["code"] for each in resource["meta"]["security"]}


async def is_read(served: Watched, source: str = GENERAL) -> bool:
    """Tell whether a source reads the program's own records, by search and by id alike."""
    found = [bool(await served.found(f"/{kind}", source)) for kind in PROGRAM]
    found.append((await served.get(f"/Goal/{GOAL}", source)).status_code == 200)
    assert len(set(found)) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("events", "is_allowed"),
    [
        ((replace(CONSENT, recipients=(GENERAL,)),), True),
        ((replace(CONSENT, recipients=(OTHER,)),), False),
        ((replace(CONSENT, recipients=(), classes=("treating-provider",)),), True),
        ((replace(CONSENT, recipients=(), classes=("payer",)),), False),
        ((CONSENT, REVOKED), False),
        ((replace(CONSENT, expires=ENDED),), False),
        ((replace(CONSENT, scope=("Task",)),), False),
        ((replace(CONSENT, purpose=("HPAYMT",)),), False),
        ((replace(CONSENT, counselling_notes=True),), False),
    ],
    ids=["named", "other", "class", "other-class", "revoked", "expired", "scope", "purpose", "notes"],
)
async def test_the_program_s_own_records_are_read_under_a_consent_in_force(
    opened: Opened, events: tuple[EventData, ...], *, is_allowed: bool
):
    async with opened(*events, recipient_classes=f"{GENERAL}=treating-provider") as served:
        assert await is_read(served) == is_allowed
        for kind in ("Patient", "Task", "ServiceRequest"):
            assert await served.found(f"/{kind}", GENERAL)


async def test_a_disclosure_carries_the_notice_and_is_recorded_once_a_day(opened: Opened):
    async with opened(CONSENT) as served:
        for _ in range(2):
            [goal] = await served.found(f"/Goal?patient={ROBIN}")
            assert {"MH", "NORDSCLCD", "42-cfr-2.32"} <= security(goal)
            assert (await served.get(f"/Goal/{GOAL}")).json() == goal
        made = [event for whose, event in served.intake.recorded if whose == ROBIN]
        assert len(made) == 1
        assert isinstance(made[0], DisclosureMade)
        assert (made[0].recipient, made[0].kind, made[0].consent) == (GENERAL, "Goal", CONSENT.consent)
        assert "NORDSCLCD" not in security((await served.get(f"/Patient/{ROBIN}")).json())


async def test_what_is_asked_for_and_withheld_is_recorded(opened: Opened):
    async with opened(replace(CONSENT, expires=ENDED)) as served:
        assert (await served.get(f"/Goal/{GOAL}")).status_code == 404

        async def is_recorded() -> bool:
            return len(served.intake.recorded) == 1

        assert await until(is_recorded, 10)
        [(_, told)] = served.intake.recorded
        assert isinstance(told, DisclosureRefused)
        assert (told.recipient, told.kind, told.because) == (GENERAL, "Goal", "expired")


async def test_nothing_leaves_while_its_record_cannot_be_made(opened: Opened):
    async with opened(CONSENT) as served:
        served.intake.is_silent = True
        for path in (f"/Goal/{GOAL}", "/Goal"):
            answer = await served.get(path)
            assert answer.status_code == 503
            assert answer.json()["issue"][0]["code"] == "transient"
            assert answer.headers["retry-after"]
        assert (await served.get(f"/Patient/{ROBIN}")).status_code == 200
        served.intake.is_silent = False
        assert await is_read(served)


async def test_a_referrer_reads_where_its_referral_is_and_the_words_only_under_a_consent(opened: Opened):
    asked = InformationRequested(referral=REFERRAL, what="Which medication?")
    async with opened(NOTE, asked, REVOKED) as served:
        answer = await served.get(f"/Task/{REFERRAL}")
        task = answer.json()
        assert task["businessStatus"]["coding"][0]["code"] == "awaiting-information"
        assert not {"output", "statusReason", "note"} & task.keys()
        assert [each["code"] for each in task["meta"]["tag"]] == ["SUBSETTED"]
        assert await served.found(f"/Task?_id={REFERRAL}") == [task]
        reduced = answer.headers["etag"]
        assert (await served.get(f"/Task/{REFERRAL}", **{"If-None-Match": reduced})).status_code == 304


async def test_under_a_consent_the_words_are_there_under_another_tag(opened: Opened):
    async with opened(NOTE, CONSENT) as served:
        answer = await served.get(f"/Task/{REFERRAL}")
        assert answer.json()["output"][0]["valueString"] == "Comes to every session."
        assert "NORDSCLCD" in security(answer.json())
        assert "reduced" not in answer.headers["etag"]
        stale = {"If-None-Match": answer.headers["etag"].replace('"', "", 1).replace('"', '-reduced"', 1)}
        assert (await served.get(f"/Task/{REFERRAL}", **stale)).status_code == 200


async def test_what_comes_along_with_a_search_is_disclosed_by_the_same_rule(opened: Opened):
    none = ConsentGranted(consent=CONSENT.consent, recipients=("nobody-here",))
    async with opened(NOTE, none) as served:
        search = f"/ServiceRequest?_id={REFERRAL}&_revinclude=Task:focus&_revinclude=Provenance:target"
        along = (await served.get(search)).json()["entry"]
        [task] = [each["resource"] for each in along if each["resource"]["resourceType"] == "Task"]
        assert "output" not in task

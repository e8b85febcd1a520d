"""How a worklist and a timeline are drawn."""

from datetime import UTC, date, datetime
from uuid import UUID

from rich.console import Console, RenderableType

from services.console.differences import told_of
from services.console.timeline_view import Chart, chart
from services.console.worklist_view import worklist_table
from services.timeline.person import Person
from services.timeline.queries import WorkItem
from services.timeline.read_models.care.state import CareState
from services.timeline.read_models.tasks.desk import Task
from services.timeline.read_models.timeline import Entry
from shared.events.envelope import Position
from shared.projections.difference import NotInLog, RowDiffers
from shared.site import Site

ANN = UUID(int=7)
NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)  # noon in New York


def drawn(what: RenderableType) -> str:
    console = Console(width=140, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def task(**told: object) -> Task:
    return Task(
        **{  # pyright: ignore[reportArgumentType] -- each test says one field
            "participant": ANN,
            "task": "triage:1",
            "kind": "triage",
            "title": "Triage the referral",
            "opened_at": NOON,
            "event": UUID(int=1),
            **told,
        }
    )


def entry(**told: object) -> Entry:
    return Entry(
        **{  # pyright: ignore[reportArgumentType]
            "k": 0,
            "seq": 1,
            "participant": ANN,
            "happened": NOON.isoformat(),
            "happened_at": NOON,
            "recorded_at": NOON,
            "type": "throughcare.intake.DischargeNotified",
            "category": "participant",
            "entity": str(ANN),
            "title": "Discharged",
            "detail": "",
            "corrects": False,
            "due": None,
            "actor": "source:general",
            "source": "general",
            "control_id": "MSG-1",
            "trigger": "ADT^A03",
            "inbound_id": None,
            "event": UUID(int=1),
            "correlation": UUID(int=1),
            "causation": None,
            "sensitivity": "MH",
            **told,
        }
    )


def about(care: CareState | None, *timeline: Entry) -> Chart:
    return Chart(
        asked=ANN, person=Person(survivor=ANN), care=care, timeline=timeline, follow_ups=(), tasks=()
    )


def test_a_worklist_shows_whose_task_it_is_and_that_it_is_overdue():
    item = WorkItem(
        task=task(due=date(2026, 3, 2)), family="Example", given=("Ann",), status=None, overdue=True
    )
    text = drawn(worklist_table([item]))
    for told in ("Mon 02 Mar", "overdue", "Example, Ann", "Triage the referral", str(ANN)[-12:]):
        assert told in text


def test_what_a_hospital_sent_is_never_read_as_markup():
    item = WorkItem(
        task=task(detail="[bold]x[/]"), family="[red]Example", given=(), status=None, overdue=False
    )
    text = drawn(worklist_table([item]))
    assert "[red]Example" in text
    assert "[bold]x[/]" in text


def test_a_timeline_shows_site_time_the_message_and_when_we_were_told_later():
    late = entry(
        happened="2026-02-27", happened_at=datetime(2026, 2, 27, 5, tzinfo=UTC), due=date(2026, 3, 6)
    )
    care = CareState(participant=ANN, family="Example", given=("Ann",), status="active")
    text = drawn(chart(about(care, late, entry()), Site()))
    for told in ("Example, Ann", "active", "Fri 27 Feb", "told Tue 03 Mar", "ADT^A03 MSG-1", "Fri 06 Mar"):
        assert told in text
    assert "Tue 03 Mar 12:00" in text
    assert "Fri 27 Feb 00:00" not in text


def test_what_is_years_old_shows_its_year():
    old = datetime(2015, 2, 9, 10, 24, tzinfo=UTC)
    text = drawn(chart(about(None, entry(happened=old.isoformat(), happened_at=old)), Site()))
    assert "Mon 09 Feb 2015" in text


def test_where_nothing_was_known_that_is_said():
    assert drawn(chart(about(None), Site())).strip() == ("Nothing was known then.")


def test_a_difference_is_told_by_place_and_columns_never_by_content():
    assert told_of(NotInLog(Position(0, 9))).where == "0/9"
    told = told_of(RowDiffers("participant", ANN, (str(ANN),), ("family",)))
    assert (told.what, told.detail) == ("row differs", f"participant {ANN}: family")

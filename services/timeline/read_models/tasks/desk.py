"""A coordinator's task, and one participant's desk on which an event opens, moves and closes them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from shared.events.envelope import Recorded
from shared.projections.projection import Rows
from shared.site import Site

Priority = Literal["safety", "stat", "urgent", "routine"]
PRIORITIES: Final[tuple[Priority, ...]] = ("safety", "stat", "urgent", "routine")
"""In the order of a list: what stands first is done first."""

Kind = Literal[
    "suicide-risk",
    "match-review",
    "triage",
    "information",
    "confirm-cancellation",
    "schedule-intake",
    "intake-appointment",
    "assess",
    "waitlisted",
    "decide-enrolment",
    "orientation",
    "first-week-plan",
    "assessment",
    "missed-session",
    "plan-review",
    "step-down",
    "two-episodes",  # of a person with several records: made as it is read, see queries.sql
    "unmatched-reversal",
    "book-follow-up",
    "follow-up-appointment",
    "outreach",
    "escalated-follow-up",
    "remembered",
]

IN_CARE: Final = "in-care"
DECEASED: Final = "deceased"
_REMEMBERED: Final = "memory"


class Task(Struct, frozen=True, kw_only=True, gc=False):
    """Something to be done; it goes away when it is done. Overdue is derived when it is read."""

    participant: UUID
    task: str  # "triage:<referral>": the same thing to be done has the same id
    kind: Kind
    title: str
    detail: str = ""
    priority: Priority = "routine"
    due: date | None = None  # the last day, at the site
    opened_at: datetime  # when we learned of it: a task's days count from there
    event: UUID  # what opened it, or moved it last
    about: tuple[str, ...] = ()  # ids of what it is about: what a command to do it needs
    held_for: str | None = None  # what it waits for; only a task held for nothing is to be done


@dataclass(frozen=True, slots=True)
class Desk:
    """One participant's tasks while one event is applied."""

    rows: Rows[Task]
    at: Recorded
    site: Site

    @property
    def participant(self) -> UUID:
        """Whose tasks these are."""
        return self.at.event.subject

    @property
    def today(self) -> date:
        """The day at the site when we learned of the event."""
        return self.site.today(self.at.recorded_at)

    def in_business_days(self, n: int) -> date:
        """Return the n-th business day after today."""
        return self.site.business_day_after(self.today, n)

    def get(self, task: str) -> Task | None:
        """Return the task of an id, held or not."""
        return self.rows.get(self.participant, task)

    def open(  # noqa: PLR0913 (a task's own fields, by name)
        self,
        task: str,
        kind: Kind,
        title: str,
        *,
        due: date | None,
        detail: str = "",
        priority: Priority = "routine",
        about: tuple[object, ...] = (),
        held_for: str | None = None,
    ) -> None:
        """Put a task on the desk, or what it has become in the place of what it was."""
        self.rows.put(
            Task(
                participant=self.participant,
                task=task,
                kind=kind,
                title=title,
                detail=detail,
                priority=priority,
                due=due,
                opened_at=self.at.recorded_at,
                event=self.at.event.id,
                about=tuple(map(str, about)),
                held_for=held_for,
            )
        )

    def close(self, task: str) -> None:
        """Take a task away; nothing happens where there is none."""
        self.rows.remove(self.participant, task)

    def close_kinds(self, *kinds: Kind) -> None:
        """Take away every task of these kinds."""
        for row in list(self.rows.all()):
            if row.kind in kinds:
                self.close(row.task)

    def about(self, subject: UUID) -> list[Task]:
        """Return every task about something, held or not."""
        name = str(subject)
        return [row for row in self.rows.all() if name in row.about]

    def hold(self, tasks: list[Task], reason: str) -> None:
        """Set tasks aside; one that is held for something else stays so."""
        for row in tasks:
            if row.held_for is None:
                self.rows.put(replace(row, held_for=reason))

    def release(self, reason: str) -> None:
        """Take up again what was held for a reason, with a business day to do it where it was due earlier."""
        for row in list(self.rows.all()):
            if row.held_for == reason:
                due = row.due if row.due is None else max(row.due, self.in_business_days(1))
                self.rows.put(replace(row, held_for=None, due=due))

    def remember(self, what: str) -> None:
        """Keep a fact about the participant that later events need; it is never shown."""
        self.open(what, "remembered", what, due=None, held_for=_REMEMBERED)

    def remembers(self, what: str) -> bool:
        """Tell whether a fact is kept."""
        return self.get(what) is not None

    def clear(self) -> None:
        """Take everything away."""
        for row in list(self.rows.all()):
            self.close(row.task)

"""A coordinator's commands, as the tests ask them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.commands.care_plan import SetGoal


def set_goal(participant: UUID) -> SetGoal:
    """A goal of its own each time: a plan takes any number of them."""
    return SetGoal(
        id=uuid4(),
        participant=participant,
        actor="coordinator:7",
        now=datetime.now(UTC),
        goal=uuid4(),
        description="Sleep seven hours a night",
    )

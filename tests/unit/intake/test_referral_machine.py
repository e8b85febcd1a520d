"""Whatever both parties ask of a referral, in whichever order, it stays somewhere that the table knows."""

from datetime import timedelta
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from services.intake.deciders.referral import DECIDER, State
from services.intake.deciders.transitions import ALL, TERMINAL, Action, Status
from shared.commands.decision import Refused
from shared.commands.intake import AmendReferral, Party, ReferralCommand
from shared.events.base import EventData
from shared.events.referral import (
    ReferralCompleted,
    ReferralOutcomeSent,
    ReferralReceived,
    ReferralStatusDelivered,
)
from tests.unit.intake.referral_stories import (
    ASKED,
    ASKS,
    MAR_10,
    WAYS,
    ask,
    delivered,
    receive,
    told_by,
)

ACTIONS = st.sampled_from(sorted(ASKS))
WORDS = st.sampled_from(["a", "b"])
MESSAGES = st.integers(1, 3)
ONGOING = st.booleans()
MOVES: set[tuple[Status, Status]] = {(row.start, row.to) for row in ALL if row.to is not None}


class ReferralMachine(RuleBasedStateMachine):
    """Ask everything of one referral."""

    def __init__(self) -> None:
        super().__init__()
        self.state: State = DECIDER.initial
        self.history: list[EventData] = []

    def asks(self, command: ReferralCommand) -> None:
        before = self.state
        decision = DECIDER.decide(command, before)
        if isinstance(decision, Refused):
            assert decision.sentence.endswith(".")
            return
        self.state = DECIDER.fold(before, decision)
        self.history += decision
        assert DECIDER.decide(command, self.state) == [], "A command repeated yields no event."
        self.moved_as_the_table_says(before)

    def moved_as_the_table_says(self, before: State) -> None:
        start, to = before.status, self.state.status
        went_back = bool(before.left) and to == before.left[-1]
        assert start == to or went_back or (start, to) in MOVES
        assert start == to or start not in TERMINAL

    @initialize(way=st.sampled_from([way for way in WAYS.values() if len(way) < 4]))
    def starts_somewhere(self, way: tuple[tuple[Action, bool], ...]) -> None:
        for action, ongoing in way:
            self.asks(ask(action, ongoing=ongoing))

    @rule(action=ACTIONS, words=WORDS, ongoing=ONGOING)
    def whoever_may_asks(self, action: Action, words: str, ongoing: bool) -> None:  # noqa: FBT001 (drawn by name)
        self.asks(ask(action, words=words, ongoing=ongoing))

    @rule(action=ACTIONS, party=st.sampled_from(get_args(Party)))
    def anybody_asks(self, action: Action, party: Party) -> None:
        self.asks(ask(action, party=party))

    @rule(message=MESSAGES)
    def it_is_sent(self, message: int) -> None:
        self.asks(receive(message=told_by(message)))

    @rule(message=MESSAGES, reason=WORDS)
    def a_message_asks_to_cancel(self, message: int, reason: str) -> None:
        command = replace(ask("request-cancel", words=reason), message=told_by(message))
        self.asks(command)

    @rule(message=MESSAGES, priority=st.sampled_from(["routine", "urgent"]))
    def it_is_amended(self, message: int, priority: str) -> None:
        self.asks(replace(AmendReferral(**ASKED, message=told_by(message)), priority=priority))

    @rule(message=MESSAGES)
    def its_sender_was_told(self, message: int) -> None:
        before = self.state
        self.asks(delivered(message))
        assert replace(self.state, delivered=before.delivered) == before, "To be told moves nothing."

    @rule(action=st.sampled_from(["attend", "no-show"]))
    def too_early(self, action: Action) -> None:
        self.asks(replace(ask(action), now=MAR_10 - timedelta(hours=1)))

    @invariant()
    def its_status_is_known(self) -> None:
        assert self.state.status in get_args(Status)
        assert (self.state.status == "draft") == (self.state.asked is None)

    @invariant()
    def what_was_set_aside_is_remembered(self) -> None:
        waits = self.state.status in {"awaiting-information", "cancel-requested"}
        assert self.state.status in TERMINAL or bool(self.state.left) == waits
        assert self.state.status not in self.state.left

    @invariant()
    def it_is_received_once_and_completed_with_its_outcome(self) -> None:
        kinds = [type(event) for event in self.history]
        assert kinds.count(ReferralReceived) == (1 if kinds else 0)
        assert kinds.count(ReferralStatusDelivered) == len(self.state.delivered)
        assert kinds.count(ReferralCompleted) == kinds.count(ReferralOutcomeSent) <= 1

    @invariant()
    def replay_comes_to_the_same(self) -> None:
        assert DECIDER.fold(DECIDER.initial, self.history) == self.state


ReferralMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestReferralMachine = ReferralMachine.TestCase

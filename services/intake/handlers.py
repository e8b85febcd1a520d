"""The commands that intake answers."""

from typing import Final

from services.intake.aliases import Aliases
from services.intake.deciders import consent, participant, referral
from shared.commands import consent as consents
from shared.commands import intake
from shared.eventlog.commands import Accepted

_PARTICIPANT: Final = (
    intake.RegisterParticipant,
    intake.CorrectDemographics,
    intake.ResolveSuicideRisk,
    intake.UnmergeParticipants,
)
_CARE: Final = (
    intake.RecordAssessment,
    intake.CorrectAssessment,
    intake.DeclineAssessment,
    intake.RecommendLevelOfCare,
    intake.Enrol,
    intake.CompleteOrientation,
)
_CONSENT: Final = (
    consents.GrantConsent,
    consents.RevokeConsent,
    consents.RecordDisclosure,
    consents.RecordRefusedDisclosure,
)
_MERGING: Final = (intake.MergeParticipants, intake.ResolveMatch)
_REFERRAL: Final = (
    intake.AmendReferral,
    intake.AcceptReferral,
    intake.DeclineReferral,
    intake.RequestInformation,
    intake.ReceiveInformation,
    intake.RequestReferralCancellation,
    intake.ConfirmReferralCancellation,
    intake.RefuseReferralCancellation,
    intake.ScheduleIntakeAppointment,
    intake.RescheduleIntakeAppointment,
    intake.CancelIntakeAppointment,
    intake.RecordIntakeNoShow,
    intake.RecordIntakeAttendance,
    intake.SendInterimNote,
    intake.SendReferralOutcome,
    intake.WaitlistReferral,
    intake.RemoveFromWaitlist,
    intake.RecordStatusDelivery,
)


def accepted(aliases: Aliases) -> tuple[Accepted, ...]:
    """Return what coordinators may ask; other records of the person are looked up before it is decided.

    Identifiers are claimed, referrals received and notices told by messages only (see policies).
    """
    return (
        *(Accepted(command, participant.DECIDER) for command in _PARTICIPANT),
        *(Accepted(command, participant.DECIDER, aliases.of_the_living) for command in _CARE),
        *(Accepted(command, participant.DECIDER, aliases.with_line) for command in _MERGING),
        *(Accepted(command, referral.DECIDER) for command in _REFERRAL),
        *(Accepted(command, consent.DECIDER) for command in _CONSENT),
    )

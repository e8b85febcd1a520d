"""The front door: identity, referrals, assessment, enrolment, and what the outside world told us."""

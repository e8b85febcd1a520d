-- name: find_participant
-- Whom a coordinator means: an id, four or more characters of either end of one, or an identifier.
select participant, status, family, given, birth_date, identifiers,
    (participant::text = $1 or $2 = any (identifiers)) as exact
from read.participant
where participant::text = $1
    or $2 = any (identifiers)
    or exists (select from unnest(identifiers) as known where split_part(known, '|', 2) = $2)
    or (length($1) >= 4 and (starts_with(participant::text, $1) or right(participant::text, length($1)) = $1))
order by family, given, participant
limit 10;

-- name: care_state
-- Where a participant's care stands.
select * from read.participant where participant = $1;

-- name: timeline
-- What happened to a participant, in the order of the world; only what was recorded before a moment, if one is told.
select * from read.timeline
where participant = $1 and ($2::timestamptz is null or recorded_at < $2)
order by happened_at, k, seq;

-- name: worklist
-- What is to be done, of one kind or one participant if told, in the order of a coordinator's day.
select worklist.*, read.participant.family, read.participant.given, read.participant.status
from read.worklist as worklist
left join read.participant using (participant)
where held_for is null
    and ($1::text is null or kind = $1)
    and ($2::uuid is null or worklist.participant = $2)
order by array_position($3::text[], priority), due nulls last, opened_at, worklist.participant, task;

-- name: referral
-- One referral.
select * from read.referral_status where referral = $1;

-- name: referrals
-- A participant's referrals, the latest first.
select * from read.referral_status where participant = $1 order by received_at desc nulls last, k desc, seq desc;

-- name: follow_ups
-- A participant's follow-ups by their last day.
select * from read.follow_up where participant = $1 order by due, kind, follow_up;

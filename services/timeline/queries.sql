-- name: find_participant
-- Whom a coordinator means: an id, four or more characters of either end of one ($1 the end, from $4 to $5 what begins
-- with it), or an identifier ($2, its number $3).
select participant, status, family, given, birth_date, identifiers,
    (participant::text = $1 or $2 = any (identifiers)) as exact
from read.participant
where participant between $4 and $5
    or (numbers @> array[$3] and ($2 = $3 or $2 = any (identifiers)))
    or (length($1) >= 4 and reverse(participant::text) ~>=~ reverse($1) and reverse(participant::text) ~<~ (reverse($1) || 'g'))
order by family, given, participant
limit 10;

-- name: care_state
-- Where a participant's care stands.
select * from read.participant where participant = $1;

-- name: record_in_care
-- Which of a person's records has the open episode; the survivor's ($2) first, where two have.
select participant from read.participant
where participant = any ($1::uuid[]) and episode_status in ('active', 'onhold')
order by participant <> $2, participant
limit 1;

-- name: timeline
-- What happened to some participants, in the order of the world; only what was recorded before a moment, if told.
select * from read.timeline
where participant = any ($1::uuid[]) and ($2::timestamptz is null or recorded_at < $2)
order by happened_at, k, seq;

-- name: worklist
-- What is to be done, of one kind or some participants if told, in the order of a coordinator's day. A task of a merged
-- record is the survivor's; once any record tells of a death, nothing of the person's is shown. While any record is in
-- care, no other waits for an episode to take up its step-down; where two are, somebody has to end one.
with recursive line as (
    select participant as record, survivor, 1 as step from read.alias where until is null
    union all
    select line.record, alias.survivor, line.step + 1
    from line join read.alias as alias on alias.participant = line.survivor and alias.until is null
    where line.step < 64
),
merged as (
    select distinct on (record) record, survivor from line order by record, step desc
),
dead as (
    select merged.survivor as person
    from merged join read.participant as one on one.participant in (merged.record, merged.survivor)
    where one.deceased
),
in_care as (
    select distinct merged.survivor as person, one.participant as record
    from merged join read.participant as one on one.participant in (merged.record, merged.survivor)
    where one.episode_status in ('active', 'onhold')
),
twice_in_care as (
    select person, array_agg(record::text order by record) as records from in_care group by person having count(*) > 1
),
two_episodes as (
    select distinct on (person) person as participant, 'two-episodes' as task, 'two-episodes' as kind,
        'Two episodes are open: end one' as title,
        'In the records ' || array_to_string(records, ', ') || '.' as detail,
        'urgent' as priority, null::date as due, alias.since as opened_at, timeline.event, records as about,
        null::text as held_for
    from twice_in_care
    join read.alias as alias on alias.until is null and (alias.survivor = person or alias.survivor::text = any (records))
    join read.timeline as timeline on timeline.k = alias.k and timeline.seq = alias.seq
    order by person, alias.since desc
)
select worklist.*, merged.survivor, whose.family, whose.given, whose.status
from (
    select participant, task, kind, title, detail, priority, due, opened_at, event, about, held_for from read.worklist
    union all
    select * from two_episodes
) as worklist
left join merged on merged.record = worklist.participant
left join read.participant as whose on whose.participant = coalesce(merged.survivor, worklist.participant)
where held_for is null
    and ($1::text is null or kind = $1)
    and ($2::uuid[] is null or worklist.participant = any ($2))
    and coalesce(merged.survivor, worklist.participant) not in (select person from dead)
    and not (kind = 'step-down' and coalesce(merged.survivor, worklist.participant) in (select person from in_care))
order by array_position($3::text[], priority), due nulls last, opened_at, worklist.participant, task;

-- name: referral
-- One referral.
select * from read.referral_status where referral = $1;

-- name: referrals
-- The referrals of some participants, the latest first.
select * from read.referral_status where participant = any ($1::uuid[]) order by received_at desc nulls last, k desc, seq desc;

-- name: died
-- Whether a death is told of any of some participants.
select exists (select from read.participant where participant = any ($1::uuid[]) and deceased);

-- name: follow_ups
-- The follow-ups of some participants by their last day.
select * from read.follow_up where participant = any ($1::uuid[]) order by due, kind, follow_up;

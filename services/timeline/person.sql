-- name: person
-- All records that are one person's: the one that survives, and those merged into it in turn; as was known before an
-- instant, if one is told. The steps are counted so that merges in a circle end, too.
with recursive known as (
    select participant, survivor
    from read.alias
    where case
        when $2::timestamptz is null then until is null
        else since < $2 and (until is null or until >= $2)
    end
),
line as (
    select $1::uuid as participant, 0 as step
    union all
    select known.survivor, line.step + 1
    from line join known on known.participant = line.participant
    where line.step < 64
),
last as (
    select participant from line order by step desc limit 1
),
records as (
    select participant from last
    union
    select known.participant from records join known on known.survivor = records.participant
)
select participant, participant = (select participant from last) as survives from records;

-- name: journal_of_records
-- What was recorded of some participants, in the order of recording; before an instant, if one is told.
select k, seq, category, entity, recorded_at, message
from log.journal
where participant = any ($1::uuid[])
    and category <> 'identity'
    and ($2::timestamptz is null or recorded_at < $2)
order by recorded_at, k, seq;

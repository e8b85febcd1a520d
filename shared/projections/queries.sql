-- name: add_migration_table
-- Which migrations ran; made before the first of them.
create schema if not exists log;
create table if not exists log.migration (name text primary key, applied_at timestamptz not null default now());

-- name: lock_migrations
-- One process migrates at a time; the others then find nothing to do. Released by the commit.
select pg_advisory_xact_lock(hashtext('throughcare.migration'));

-- name: applied_migrations
-- The names of those that ran.
select name from log.migration;

-- name: record_migration
-- Remember that it ran.
insert into log.migration (name) values ($1);

-- name: try_lead
-- Become the one projector of a partition, for as long as this very connection lives.
select pg_try_advisory_lock(hashtext('throughcare.projector'), $1);

-- name: stop_leading
-- Let another connection lead the partition.
select pg_advisory_unlock(hashtext('throughcare.projector'), $1);

-- name: try_rebuild
-- Become the one that builds a generation, for as long as this very connection lives.
select pg_try_advisory_lock(hashtext('throughcare.rebuild'), 0);

-- name: checkpoint
-- How far a partition is projected, and into which generation.
select k, stream, created, seq, recorded_at, generation, epoch from log.checkpoint where k = $1;

-- name: checkpoints
-- How far every partition is projected.
select k, stream, created, seq, recorded_at, generation, epoch from log.checkpoint order by k;

-- name: lock_checkpoints
-- Hold every projector between two batches until the commit.
select k, stream, created, seq, recorded_at, generation, epoch from log.checkpoint order by k for update;

-- name: lock_checkpoint
-- Hold one partition's projector between two batches until the commit.
select k, stream, created, seq, recorded_at, generation, epoch from log.checkpoint where k = $1 for update;

-- name: begin_checkpoint
-- A partition seen for the first time starts before its first message, in the active generation.
insert into log.checkpoint (k, stream, created, seq, generation)
select $1, $2, $3, 0, number from log.generation where active
on conflict (k) do nothing;

-- name: lock_new_checkpoints
-- No partition may begin while the active generation changes, nor the other way round.
lock table log.generation in share row exclusive mode;

-- name: advance
-- Move the checkpoint if it stands where the batch begins. The row stays locked until the commit, so that
-- what it answers about the generation holds for the whole batch.
update log.checkpoint set seq = $4, recorded_at = $5
where k = $1 and seq = $2 and created = $3
returning generation, epoch;

-- name: bump_epoch
-- Tell a partition's projector that somebody else changed its read models.
update log.checkpoint set epoch = epoch + 1 where k = $1;

-- name: identify_stream
-- After a restore the same history lies in a new stream.
update log.checkpoint set stream = $2, created = $3, epoch = epoch + 1 where k = $1;

-- name: journal_entry
-- One message, as journalled.
select k, seq, category, entity, participant, type, event_id, happened, recorded_at, message
from log.journal where k = $1 and seq = $2;

-- name: journal_of_partition
-- A partition in order, between two sequences (exclusive, inclusive).
select k, seq, category, entity, participant, type, event_id, happened, recorded_at, message
from log.journal where k = $1 and seq > $2 and seq <= $3 order by seq;

-- name: journal_of_participant
-- All that is known of one participant, in order.
select participant, k, seq, category, entity, recorded_at, message
from log.journal where participant = $1 order by k, seq;

-- name: journal_of_participant_until
-- All that was known of one participant before a moment, in order.
select participant, k, seq, category, entity, recorded_at, message
from log.journal where participant = $1 and recorded_at < $2 order by k, seq;

-- name: journal_of_participants
-- Participants of a range (exclusive, inclusive), one after the other, each in order, up to a sequence
-- for each partition.
select participant, k, seq, category, entity, recorded_at, message
from log.journal where participant > $1 and participant <= $2 and seq <= ($3::bigint[])[k + 1]
order by participant, k, seq;

-- name: newcomers
-- Of participants, each with the position of an event, those who have none before it: no read model has a row of them.
select participant from unnest($1::uuid[], $2::smallint[], $3::bigint[]) as told (participant, k, seq)
where not exists (
    select from log.journal j where j.participant = told.participant and j.k = told.k and j.seq < told.seq
);

-- name: range_end
-- The participant some events further on: the end of a range of about that many.
select participant from log.journal where participant > $1 order by participant offset $2 limit 1;

-- name: last_participant
-- The end of the last range.
select participant from log.journal where participant is not null order by participant desc limit 1;

-- name: undecoded
-- Messages whose participant could not be read when they were journalled.
select k, seq, category, entity, participant, type, event_id, happened, recorded_at, message
from log.journal where participant is null and type is null;

-- name: describe
-- Fill in what a message turned out to say once it could be decoded.
update log.journal set participant = $3, type = $4, event_id = $5, happened = $6 where k = $1 and seq = $2;

-- name: journal_extent
-- The first and the last message of a partition, and how many there are.
select coalesce(min(seq), 0) as first, coalesce(max(seq), 0) as last, count(*) as messages
from log.journal where k = $1;

-- name: journal_size
-- How many messages there are to fold.
select count(*) from log.journal where participant is not null;

-- name: parked_of_partition
-- The participants whose later events wait.
select participant from log.parked where k = $1 and participant is not null;

-- name: parked
-- What waits, and why; how many later events of the same participant wait with it.
select p.k, p.seq, p.participant, p.projection, p.reason, p.since,
    (select count(*) from log.journal j where j.participant = p.participant and j.k = p.k and j.seq > p.seq)
        as waiting
from log.parked p order by p.since, p.k, p.seq;

-- name: parked_count
-- How many participants and single messages wait.
select count(*) from log.parked;

-- name: parked_participant
-- Where a participant is parked.
select k, seq, participant, projection, reason, since from log.parked where participant = $1;

-- name: parked_message
-- What is parked at a position.
select k, seq, participant, projection, reason, since from log.parked where k = $1 and seq = $2;

-- name: park
-- The participant's events from this one on wait until they are replayed.
insert into log.parked (k, seq, participant, projection, reason) values ($1, $2, $3, $4, $5)
on conflict do nothing;

-- name: unpark
-- Nothing waits at this position any more.
delete from log.parked where k = $1 and seq = $2;

-- name: unpark_others
-- A new generation has found anew what cannot be applied.
delete from log.parked where (k, seq) not in (select * from unnest($1::smallint[], $2::bigint[]));

-- name: active_generation
-- What readers see, and by which projections it was made.
select number, projections::text as projections from log.generation where active;

-- name: generations
-- Every generation, readers' and others.
select number, active from log.generation order by number;

-- name: next_generation
-- The number of a generation to be built.
select coalesce(max(number), 0) + 1 from log.generation;

-- name: add_generation
-- A generation to be built; nobody reads it yet.
insert into log.generation (number, projections) values ($1, $2::jsonb);

-- name: retire_generation
-- Readers leave it.
update log.generation set active = false where active;

-- name: activate_generation
-- Readers see it from the commit on.
update log.generation set active = true where number = $1;

-- name: enter_generation
-- Projectors write it from the commit on.
update log.checkpoint set generation = $1, epoch = epoch + 1;

-- name: forget_generation
-- It is dropped.
delete from log.generation where number = $1;

-- name: views
-- What readers see at the moment.
select viewname from pg_views where schemaname = 'read';

-- name: leads_index
-- Whether some index of a table begins with the column.
select exists (
    select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = $1::regclass and a.attname = $2);

-- The journal is Postgres' copy of the log, message by message; everything else here says how far it goes.
create schema if not exists log;

create table log.journal (
    k smallint not null,
    seq bigint not null,
    category text,
    entity text,
    participant uuid,       -- null where the message cannot be decoded that far
    type text,
    event_id uuid,
    happened timestamptz,
    recorded_at timestamptz not null,
    message bytea not null, -- as the log holds it, byte for byte
    primary key (k, seq)
);
create index on log.journal (entity, category, seq);
create index on log.journal (participant, k, seq);

create table log.generation (
    number integer primary key,
    projections jsonb not null, -- name to version
    active boolean not null default false,
    made_at timestamptz not null default now()
);
create unique index on log.generation (active) where active;

create table log.checkpoint (
    k smallint primary key,
    stream text not null,
    created timestamptz not null, -- of the stream: another one is another history
    seq bigint not null,
    recorded_at timestamptz,      -- of the last message
    generation integer not null references log.generation,
    epoch bigint not null default 0 -- counts what others than the projector changed in the read models
);

create table log.parked (
    k smallint not null,
    seq bigint not null,
    participant uuid,
    projection text, -- null where the message cannot be decoded, or it is not known
    reason text not null,
    since timestamptz not null default now(),
    primary key (k, seq)
);
create unique index on log.parked (participant) where participant is not null;

create schema if not exists read;

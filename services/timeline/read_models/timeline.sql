-- One row an event, as a coordinator reads it: when it happened, and when we were told.
CREATE TABLE timeline (
    k bigint NOT NULL,
    seq bigint NOT NULL,
    participant uuid NOT NULL,
    happened text NOT NULL,
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    type text NOT NULL,
    category text NOT NULL,
    entity text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    corrects boolean NOT NULL,
    due date,
    actor text NOT NULL,
    source text,
    control_id text,
    trigger text,
    inbound_id text,
    event uuid NOT NULL,
    correlation uuid NOT NULL,
    causation uuid,
    sensitivity text NOT NULL,
    PRIMARY KEY (k, seq)
);

-- A participant's timeline, in the order in which things happened.
CREATE INDEX ON timeline (participant, happened_at, k, seq);

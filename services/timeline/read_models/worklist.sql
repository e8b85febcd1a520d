-- One row a task of a participant. A row held for something else is not to be done now: no list shows it.
CREATE TABLE worklist (
    participant uuid NOT NULL,
    task text NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    priority text NOT NULL,
    due date,
    opened_at timestamptz NOT NULL,
    event uuid NOT NULL,
    about text[] NOT NULL,
    held_for text,
    PRIMARY KEY (participant, task)
);

-- The coordinators' list: what is to be done, by kind and due day.
CREATE INDEX ON worklist (kind, due) WHERE held_for IS NULL;

-- One row a merge: from when to when a record was read as another's.
CREATE TABLE alias (
    k bigint NOT NULL,
    seq bigint NOT NULL,
    participant uuid NOT NULL,
    survivor uuid NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    reason text,
    PRIMARY KEY (k, seq)
);

-- Whose a record is, and which records are somebody's.
CREATE INDEX ON alias (participant);
CREATE INDEX ON alias (survivor);

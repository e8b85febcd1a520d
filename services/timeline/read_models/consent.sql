-- One row a consent: to whom a participant lets us tell what, and whether they took it back.
CREATE TABLE consent (
    consent uuid PRIMARY KEY,
    participant uuid NOT NULL,
    recipients text[] NOT NULL,
    terms jsonb NOT NULL,
    granted_at timestamptz NOT NULL,
    revoked_at timestamptz,
    reason text,
    k bigint NOT NULL,
    seq bigint NOT NULL
);

-- What a participant agreed to.
CREATE INDEX ON consent (participant);

-- Whose records somebody may be told of.
CREATE INDEX ON consent USING gin (recipients);

-- One row a referral: where it is in the harmonised state table, and how it came there.
CREATE TABLE referral_status (
    referral uuid PRIMARY KEY,
    participant uuid NOT NULL,
    status text NOT NULL,
    left_for text[] NOT NULL,
    placer_assigner text,
    placer_value text,
    source text,
    sender text,
    priority text NOT NULL,
    referrer text,
    organisation text,
    service text,
    reasons text[] NOT NULL,
    owner text,
    expected_by date,
    received_at timestamptz,
    accepted_at timestamptz,
    closed_at timestamptz,
    appointment uuid,
    appointment_start timestamptz,
    appointment_attended boolean NOT NULL,
    asked_for text,
    asked_by date,
    duplicates bigint NOT NULL,
    reason text,
    changed_at timestamptz NOT NULL,
    k bigint NOT NULL,
    seq bigint NOT NULL
);

-- The referrals of one participant, and all that wait in one status.
CREATE INDEX ON referral_status (participant);
CREATE INDEX ON referral_status (status);

-- A sender asks by its own number.
CREATE INDEX ON referral_status (placer_value, placer_assigner);

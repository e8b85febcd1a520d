-- One row a follow-up owed after a discharge or the end of an episode.
CREATE TABLE follow_up (
    follow_up uuid PRIMARY KEY,
    participant uuid NOT NULL,
    kind text NOT NULL,
    provider_type text NOT NULL,
    status text NOT NULL,
    status_before text,
    index_discharge date NOT NULL,
    discharge uuid,
    visit_number text,
    window_opens date NOT NULL,
    due date NOT NULL,
    appointment text,
    attempts bigint NOT NULL,
    last_channel text,
    last_result text,
    kept_on date,
    kept_by_session uuid,
    within_window boolean,
    superseded_cause text,
    escalated_to text,
    reason text,
    changed_at timestamptz NOT NULL,
    k bigint NOT NULL,
    seq bigint NOT NULL
);

-- The follow-ups of one participant, and all that are owed by a day.
CREATE INDEX ON follow_up (participant);
CREATE INDEX ON follow_up (status, due);

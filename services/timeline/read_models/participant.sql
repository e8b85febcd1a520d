-- One row a participant: who they are and where their care stands, as the log tells it.
CREATE TABLE participant (
    participant uuid PRIMARY KEY,
    status text NOT NULL,
    family text,
    given text[] NOT NULL,
    birth_date date,
    sex text,
    phone text,
    identifiers text[] NOT NULL,
    numbers text[] NOT NULL,
    program text,
    track text,
    enrolment uuid,
    episode uuid,
    episode_status text,
    episode_start date,
    episode_end date,
    end_reason text,
    level text,
    edition text,
    level_since text,
    steps jsonb NOT NULL,
    inpatient_facility text,
    inpatient_since text,
    last_discharge text,
    last_discharge_facility text,
    last_disposition text,
    stays jsonb NOT NULL,
    referrals jsonb NOT NULL,
    risk_level text,
    risks jsonb NOT NULL,
    phq9 jsonb,
    gad7 jsonb,
    cssrs jsonb,
    next_session timestamptz,
    sessions jsonb NOT NULL,
    sessions_attended bigint NOT NULL,
    sessions_missed bigint NOT NULL,
    goals_open bigint NOT NULL,
    goals_achieved bigint NOT NULL,
    relapse_plan_agreed date,
    deceased boolean NOT NULL,
    died text,
    merged_into uuid,
    k bigint NOT NULL,
    seq bigint NOT NULL
);

-- "Who has this number?" is how a person is looked up, whoever assigned it; or by the end of an id, which is what
-- people read out. Its beginning is found by the primary key.
CREATE INDEX ON participant USING gin (numbers);
CREATE INDEX ON participant (reverse(participant::text) text_pattern_ops);

-- Who was born on a day, or bears a name, may be somebody who is registered again.
CREATE INDEX ON participant (birth_date, lower(family));
CREATE INDEX ON participant (lower(family));

-- The census reads by program and status.
CREATE INDEX ON participant (program, status);

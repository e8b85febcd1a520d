-- One row a FHIR resource: its JSON as it is sent, and what it is found by.
CREATE TABLE fhir_resource (
    type text NOT NULL,
    id uuid NOT NULL,
    participant uuid NOT NULL,
    version bigint NOT NULL,
    last_updated timestamptz NOT NULL,
    status text,
    identifiers text[] NOT NULL,
    sender text,
    protection text NOT NULL,
    seen_by text[] NOT NULL,
    replaced_by uuid,
    memo text[] NOT NULL,
    resource json NOT NULL,
    k bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (type, id)
);

-- Everything of one participant, and what of it changed since.
CREATE INDEX ON fhir_resource (participant, type);

-- A sender asks what changed: the order of pages, too.
CREATE INDEX ON fhir_resource (type, last_updated, id);

-- "Who has this identifier?"
CREATE INDEX ON fhir_resource USING gin (identifiers) WHERE identifiers <> '{}';

-- Which records were merged into this one.
CREATE INDEX ON fhir_resource (replaced_by) WHERE replaced_by IS NOT NULL;

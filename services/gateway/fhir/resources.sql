-- name: visible
-- Who may see a row: who may see its person. What another source sent stays between that source and us, and what the
-- program itself recorded is seen only of participants who consent: otherwise it is seen who the person is.
type = $1
and (
    sender = $3
    or sender is null
    and (type = 'Patient' or (participant, protection) in (select * from unnest($4::uuid[], $5::text[])))
)
and {seen}

-- name: seen
-- Who may see a person: whoever told us of them, or whose identifier they carry (also under a merged record).
exists (
    select from read.fhir_resource as who
    where who.type = 'Patient' and who.seen_by && $2::text[]
        and (
            who.id = each.participant
            or who.replaced_by = each.participant
            or who.id = (
                select prior.replaced_by from read.fhir_resource as prior
                where prior.type = 'Patient' and prior.id = each.participant
            )
        )
)

-- name: read
-- One resource, also one that would need a consent.
select {columns} from read.fhir_resource as each
where type = $1 and (sender = $3 or sender is null) and {seen} and id = $4

-- name: ids
-- Of what a search finds, by what it is known; what is asked follows.
select id from read.fhir_resource as each where {visible}

-- name: count
-- How many a search finds; what is asked follows.
select count(*) from read.fhir_resource as each where {visible}

-- name: search
-- A page of what a search finds; what is asked follows.
select {columns} from read.fhir_resource as each where {visible}

-- name: include_person
-- Whose some resources are.
select {columns} from read.fhir_resource as each where {visible}
    and id in (select participant from read.fhir_resource where type = $6 and id = any($7::uuid[]))
order by id limit $8

-- name: include_id
-- What has the ids of some resources of another type.
select {columns} from read.fhir_resource as each where {visible}
    and id in (select id from read.fhir_resource where type = $6 and id = any($7::uuid[]))
order by id limit $8

-- name: include_target
-- What names some resources as its target.
select {columns} from read.fhir_resource as each where {visible}
    and participant in (select participant from read.fhir_resource where type = $6 and id = any($7::uuid[]))
    and exists (
        select from json_array_elements(resource -> 'target') as target
        where target ->> 'reference' in (select $6 || '/' || id from unnest($7::uuid[]) as id)
    )
order by last_updated, id limit $8

-- name: columns
-- What is read of a resource.
id, version, last_updated, participant, sender, protection, resource::text as resource

-- name: consents_of
-- The consents of some participants that name somebody, also those that hold no more.
select participant, terms::text as terms, revoked_at is not null as is_revoked from read.consent
where recipients && $1::text[] and participant = any($2::uuid[])

-- name: consents_for
-- The consents that name somebody, of those of whom a search could find what the program recorded; what is asked
-- follows, and a parenthesis.
select participant, terms::text as terms, revoked_at is not null as is_revoked from read.consent
where recipients && $3::text[] and participant in (
    select each.participant from read.fhir_resource as each
    where type = $1 and sender is null and {seen}

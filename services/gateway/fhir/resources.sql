-- name: visible
-- Who may see a row: whoever told us of its person, or whose identifier the person carries (also under a merged
-- record). What another source sent stays between that source and us, and what the program itself recorded is
-- seen only by whom it is disclosed to: everybody else sees of it who the person is.
type = $1
and (sender = $3 or sender is null and (type = 'Patient' or 'program' = any($2::text[])))
and exists (
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
-- One resource.
select id, version, last_updated, resource::text as resource from read.fhir_resource as each where {visible} and id = $4

-- name: by_identifier
-- What carries one of some identifiers.
select id from read.fhir_resource as each where {visible} and identifiers && $4::text[] and identifiers <> '{}'

-- name: count
-- How many a search finds; what is asked follows.
select count(*) from read.fhir_resource as each where {visible}

-- name: search
-- A page of what a search finds; what is asked follows.
select id, version, last_updated, resource::text as resource from read.fhir_resource as each where {visible}

-- name: include_person
-- Whose some resources are.
select id, version, last_updated, resource::text as resource from read.fhir_resource as each where {visible}
    and id in (select participant from read.fhir_resource where type = $4 and id = any($5::uuid[]))
order by id limit $6

-- name: include_id
-- What has the ids of some resources of another type.
select id, version, last_updated, resource::text as resource from read.fhir_resource as each where {visible}
    and id in (select id from read.fhir_resource where type = $4 and id = any($5::uuid[]))
order by id limit $6

-- name: include_target
-- What names some resources as its target.
select id, version, last_updated, resource::text as resource from read.fhir_resource as each where {visible}
    and participant in (select participant from read.fhir_resource where type = $4 and id = any($5::uuid[]))
    and exists (
        select from json_array_elements(resource -> 'target') as target
        where target ->> 'reference' in (select $4 || '/' || id from unnest($5::uuid[]) as id)
    )
order by last_updated, id limit $6

-- name: candidates
-- Who may be the same person: born on the same day, or of the same family name with the same phone number.
select participant, family, given, birth_date, sex, phone
from read.participant
where participant <> $1
    and (
        birth_date = $2
        or (lower(family) = lower($3) and right(regexp_replace(phone, '\D', '', 'g'), 7) = $4)
    )
order by participant
limit 1000;

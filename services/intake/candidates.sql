-- name: candidates
-- Who may be the same person: born on the same day, those of the same family name first, or of the same family name with
-- the same phone number. A day has some 40 births in a million people; whoever has more of one (unknown birth dates
-- written as 1 January) is shown a part of them, so that one search stays short.
(
    select participant, family, given, birth_date, sex, phone
    from read.participant
    where birth_date = $2 and lower(family) = lower($3) and participant <> $1
    limit 50
)
union
(
    select participant, family, given, birth_date, sex, phone
    from read.participant
    where birth_date = $2 and participant <> $1
    limit 150
)
union
(
    select participant, family, given, birth_date, sex, phone
    from read.participant
    where lower(family) = lower($3) and $4 <> '' and right(regexp_replace(phone, '\D', '', 'g'), 7) = $4
        and participant <> $1
    limit 50
);

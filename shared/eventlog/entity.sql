-- An entity's events in the journal, and how far the journal reaches: one row at least where the partition has a
-- checkpoint, so that the tail of the log behind it can be read on top.
select checkpoint.seq as checkpoint, journal.seq, journal.message
  from log.checkpoint
  left join log.journal on journal.k = checkpoint.k and journal.category = $2 and journal.entity = $3
 where checkpoint.k = $1
 order by journal.seq

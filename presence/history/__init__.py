"""What was: visits and page views by day, the record, readers by minute and by hour, and the most read pages.

Each worker notes in memory who comes and what was counted (:mod:`~presence.history.tally`,
:mod:`~presence.history.sampling`); one task of it (:mod:`~presence.history.recorder`) writes that to Redis
(:mod:`~presence.history.chronicle`), away from the leases and from every reader's path. Anyone may read it over the API
(:mod:`~presence.history.api`); ``loa history`` shows it, and takes in the numbers of an older counter.

Nothing in it tells of a person: a day's readers are an estimate of how many there were, not a list.

Pure, without I/O, clock or loop: answers, books, calendar, days, keys, oldcounter, ranking, sampling, series, stats,
tally, window.
"""

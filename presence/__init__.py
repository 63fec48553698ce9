"""Who is here: every reader once, however many tabs, workers and nodes, and within a bound that is stated.

A reader is a signed random id its browser keeps (:mod:`presence.identity`). Each worker holds its own readers
(:mod:`presence.roster`) and a lease for each in Redis (:mod:`presence.leases`), under a name that changes every day
(:mod:`presence.naming`). It counts the leases and shows the number to its sessions (:mod:`presence.counter`).
What was is a package of its own, :mod:`presence.history`.

Pure, without I/O, clock or loop: badge_drawing, badge_query, bounds, colours, days, gauge, holding, identity,
naming, parameters, push, roster, storeclock, terms.
"""

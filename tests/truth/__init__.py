"""Is the number true? Hundreds of connections over real workers, all that can go wrong, and a model to judge by.

    schedule ──▶ driver ──▶ browsers, nodes        what happened: visits, faults   (history)
                 observer ──▶ API and frames       what was said: observations            │
                                                   judge: each against the model ◀────────┘

``schedule``, ``history``, ``spans``, ``steps``, ``model`` and ``judge`` are pure: no clock, no loop, no sockets. They
take what happened with its instants, and the bounds that the API states, and say for each moment between which values
each number must lie. Run it with ``python -m tests.truth``; docs/accuracy.md says what is promised and what came out.
"""

"""What Loa can carry, measured beside what the machine can: ``make bench``.

One worker of the real service on one core; readers, store and supervisor on another; and in the same run a loop that
does nothing but accept and send, as the limit. ``docs/benchmarks.md`` says how to read the result.
"""

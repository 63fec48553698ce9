"""Announcements on the worst day: many editors at once, requests repeated, the store killed under them.

``python -m tests.torture`` is as large as wanted, ``tests/system/test_torture.py`` a small one with each run of the
tests. ``editors.py`` asks, ``judge.py`` says what of the answers was not true.
"""

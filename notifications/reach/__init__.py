"""The reach of announcements: to how many open pages, how many readers saw, clicked and dismissed it, how fast.

No reader is named: a worker adds up in memory and tells the store once a second (:mod:`notifications.reach.recorder`);
readers are counted as a HyperLogLog of names that mean something for one announcement only.
"""

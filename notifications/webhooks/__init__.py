"""Signed webhooks: other systems are told what happens to announcements, and a CMS makes announcements.

Out: ``registry`` keeps whom to tell; ``deliverer``, in one worker at a time, reads the audit trail (``event`` says what
of it is an event), keeps what waits in ``outbox`` and has ``sender`` post it, at the times of ``schedule``. In:
``incoming`` reads what a CMS has posted and ``hooks`` hands it to the editorial office. Both are signed as the Standard
Webhooks specification says (``signature``).
"""

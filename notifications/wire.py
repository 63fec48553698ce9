"""What a client of the API and the service must agree on: where announcements are, and what a key looks like. Pure."""

from __future__ import annotations

import re

ANNOUNCEMENTS = "/api/v1/announcements"

MAX_KEY = 200
# Of an `Idempotency-Key`.
KEY = re.compile(rf"[!-~]{{1,{MAX_KEY}}}", re.ASCII)

"""Which of these tests run with all others, and which only by ``make deploytest``.

Those that start nginx, HAProxy and Caddy, build images and run containers, or run the system's tests once more with
least rights, take minutes and other people's programs.
"""

from __future__ import annotations

import os

collect_ignore = (
    []
    if os.environ.get("DEPLOY_TESTS")
    else ["test_proxies.py", "test_acl.py", "test_containers.py", "test_systemd.py"]
)

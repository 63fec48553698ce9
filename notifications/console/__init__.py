"""The console at ``/console/``: pages for the people who announce, rendered here, with little JavaScript.

How to add a page:

1. A class with a ``routes()`` like :class:`notifications.console.account.Account`: it takes the :class:`Shell` and what
   it works with, and gives each handler to ``shell.signed_in(handler, right)``. The handler is called with the request
   and a :class:`Visit`: ``visit.by`` is the :class:`notifications.actor.Principal`, ``visit.may("send", "demo")`` asks
   for a right on a site. `right` is asked for anywhere; **on which site** is for the page, or for ``Editorial``, to
   check.
2. ``shell.add_entry("/console/announcements", "Announcements", "see", order=10)`` puts it into the navigation of those
   who have the right; what has the smallest order among the entries is where ``/console/`` leads.
3. A template in ``templates/`` that extends ``base.html`` with the blocks ``title`` and ``content`` (``scripts`` for
   more files of ``static/``: ``<script src="{{ asset('reach.js') }}" defer></script>``), and imports ``{% import
   "ui.html" as ui with context %}`` for fields: ``ui.field``, ``ui.area``, ``ui.select``, ``ui.box``, ``ui.checked``.
   Each shows its error beside it, a hint, and how many characters are left. ``{{ ms|moment }}`` writes a point in time.
4. ``shell.render(request, "page.html", {...})`` answers. A page that frames or fetches more than our own files says so:
   ``policy={"frame-src": "'self'"}``. There is no inline script or style anywhere, not even a ``style=`` attribute.
5. A form is read with ``await form.read(request)``; errors go into ``sent.errors[field]`` and the form is rendered
   again with status 422. One that was obeyed ends with ``raise shell.redirect(path, notice)``. CSRF has been checked.
6. Text is English, in templates ``{{ _("Send now") }}`` or ``{% trans %}``, in Python ``shell.say(request, "Sent.")``;
   its Vietnamese stands in ``words/<pages>.vi.po``. ``tests/notifications/console/test_words.py`` names what is
   missing.
7. A page of another room lies in a package of that room, with ``templates``, ``static`` and ``words`` of its own, which
   the roof names to ``notifications.assembly.Ground.console``: see ``operations/page``.
8. An answer that stays open (a stream) asks ``await shell.visit(request, used=False)`` again at least every five
   seconds, and ends when that is None or may no more. Pages that are just open ask by themselves
   (``static/console.js``).
"""

from notifications.console.shell import Shell
from notifications.console.visit import Visit

__all__ = ["Shell", "Visit"]

"""What is answered to a request that asks for something wrong, or of a site there is not."""

from __future__ import annotations

from gateway.problems import Problem
from presence.parameters import Refused


def no_such_site() -> Problem:
    """The site is not among those of the settings."""
    return Problem(404, "No such site", "There is no such site here; the settings name them under [sites].")


def refusal(refused: Refused) -> Problem:
    """A parameter is wrong; the document names it."""
    return Problem(
        400,
        "Wrong parameter",
        f"The parameter {refused.field} is wrong. {refused.detail}",
        errors=[{"field": refused.field, "pointer": f"/{refused.field}", "detail": refused.detail}],
    )

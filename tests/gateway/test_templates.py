"""Templates of a room: nothing in them is what it is not, and nothing is missing unseen."""

from __future__ import annotations

import jinja2
import pytest

from gateway.templates import environment


def test_what_is_put_in_is_escaped_and_what_is_missing_is_an_error() -> None:
    templates = environment("presence")
    assert templates.from_string("<b>{{ text }}</b>").render(text="<i>") == "<b>&lt;i&gt;</b>"
    with pytest.raises(jinja2.UndefinedError):
        templates.from_string("{{ nothing }}").render()


def test_each_room_has_its_own() -> None:
    assert environment("presence").get_template("badge.svg")
    with pytest.raises(jinja2.TemplateNotFound):
        environment("operations").get_template("badge.svg")

"""What a view or API of the plant may ask for besides shared.web.context: the plant."""

from __future__ import annotations

from typing import cast

from flask import current_app

from local_mes.plant import Plant


def plant() -> Plant:
    """The plant this console belongs to."""
    return cast(Plant, current_app.extensions["strandline.plant"])

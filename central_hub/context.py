"""What a view or API of the hub may ask for besides shared.web.context: the hub."""

from __future__ import annotations

from typing import cast

from flask import current_app

from central_hub.hub import Hub


def hub() -> Hub:
    """The hub this portal belongs to."""
    return cast(Hub, current_app.extensions["strandline.hub"])

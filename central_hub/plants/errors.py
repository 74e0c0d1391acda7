"""Why a plant is not taken into the group."""

from __future__ import annotations

from shared.errors import Denied, Refused


class TokenRefused(Denied):
    """The enrolment token is wrong, used, expired or another plant's. Which of them is not told to the caller."""

    def __init__(self) -> None:
        super().__init__(
            "plants.token_refused",
            "The hub does not take this enrolment token: it is wrong, used or expired.",
            todo="Ask for a new one: strandline hub enrol-token PLANT.",
        )


class BadPlantCode(Refused):
    """No plant can have this code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            "plants.bad_code",
            f"{code!r} cannot be a plant's code.",
            todo="Use 2 to 12 capital letters and digits, other than the hub's own code.",
        )

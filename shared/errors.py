"""One family of errors. Each says what happened, what was kept and what to do; HTTP status in one place."""

from __future__ import annotations


class StrandlineError(Exception):
    """Something a person or a peer must hear of.

    code   stable, dotted text such as "transfers.not_custodian" (never shown alone)
    what   one sentence: what happened, with the offending value
    kept   what is safe all the same
    todo   what the reader can do now
    again  whether the same call may succeed later without a change of its content
    """

    status = 500
    again = False

    def __init__(self, code: str, what: str, *, kept: str = "Nothing was changed.", todo: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.kept = kept
        self.todo = todo

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.kept, self.todo) if part)


class BadInput(StrandlineError):
    """The caller's values cannot be understood or are outside what is possible."""

    status = 422


class NotFound(StrandlineError):
    """No such thing under that name."""

    status = 404


class Refused(StrandlineError):
    """Understood, but a rule of the domain forbids it; the text names the rule."""

    status = 409


class Denied(StrandlineError):
    """The person or peer has no right to this."""

    status = 403


class Unauthenticated(StrandlineError):
    """Nobody is signed in, or the signature or token does not verify."""

    status = 401


class TooLarge(StrandlineError):
    """Over a limit; the text names limit and size."""

    status = 413


class Unavailable(StrandlineError):
    """Cannot be served now; the same call may succeed later."""

    status = 503
    again = True


class BadSetup(StrandlineError):
    """Settings, files or the machine do not allow a start (exit code 2 on the command line)."""

    status = 500

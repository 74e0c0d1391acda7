"""How people say yes or no to a deviation by form and by API, the same at the plant and at the hub."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from shared.standards.deviation_rows import VERDICTS, Verdict
from shared.web import forms
from shared.web.body import MOMENT_MAX_MS, Body, Moment


class JudgeBody(Body):
    """A yes, or a no with its reason, to a deviation that ends at expires_ms, as it was shown."""

    command_id: str = Field(min_length=1, max_length=64)
    expires_ms: Moment
    verdict: Verdict
    reason: str = Field("", max_length=1_000)

    @model_validator(mode="after")
    def _no_needs_a_reason(self) -> Self:
        if self.verdict == "objected" and len(self.reason.strip()) < 3:
            raise ValueError("an objection needs its reason")
        return self


def read_verdict() -> tuple[Verdict, str, int]:
    """Verdict, reason and the end of the deviation as it was shown (ms); an objection without a reason is refused."""
    verdict: Verdict = "approved" if forms.read_choice("verdict", "Verdict", VERDICTS) == "approved" else "objected"
    reason = forms.read_text("reason", "Reason", needed=verdict == "objected")
    return verdict, reason, forms.read_number("expires_ms", "End", least=0, most=MOMENT_MAX_MS, unit="ms")

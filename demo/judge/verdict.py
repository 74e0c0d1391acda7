"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be: which check, what it is about, in words."""

    check: str
    subject: str
    text: str


@dataclass
class Verdict:
    """All findings and how many things were looked at, by check."""

    looked_at: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def count(self, check: str, things: int = 1) -> None:
        """Say that so many things were looked at."""
        self.looked_at[check] = self.looked_at.get(check, 0) + things

    def say(self, check: str, subject: str, text: str) -> None:
        """Say that something is wrong."""
        self.findings.append(Finding(check, subject, text))

    def expect(self, check: str, subject: str, holds: bool, text: str) -> None:
        """Look at one thing."""
        self.count(check)
        if not holds:
            self.say(check, subject, text)

    @property
    def content(self) -> bool:
        """Whether nothing is wrong, and something was looked at in every check."""
        return not self.findings and all(self.looked_at.values())

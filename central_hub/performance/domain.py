"""Like with like: figures of different definition versions are never drawn together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.performance.formulas import KpiFigure


@dataclass(frozen=True)
class PlantFigures:
    """One plant's figures of a KPI. version None: the plant has no definition in force, so it has no figures.

    complete_through_ms: up to when the plant's own data is complete here, None before it was heard of.
    """

    plant: str
    version: int | None
    sha256: str
    figures: tuple[KpiFigure, ...]
    complete_through_ms: int | None


@dataclass(frozen=True)
class Group:
    """Plants that use the same definition: these may be compared."""

    version: int
    sha256: str
    plants: tuple[PlantFigures, ...]


@dataclass(frozen=True)
class Comparison:
    """Groups of plants by definition; comparable only when there is one."""

    groups: tuple[Group, ...]
    without: tuple[str, ...]

    @property
    def comparable(self) -> bool:
        """Whether all figures may stand in one picture."""
        return len(self.groups) <= 1

    @property
    def refusal(self) -> str:
        """Why they may not, in words; empty when they may."""
        if self.comparable:
            return ""
        used = [f"{' and '.join(p.plant for p in group.plants)}: version {group.version}" for group in self.groups]
        return f"Not comparable: the plants use different definitions ({'; '.join(used)}). They are shown apart."


def compare(plants: Sequence[PlantFigures]) -> Comparison:
    """Plants by the definition they use, the latest version first."""
    keys = sorted({(p.version, p.sha256) for p in plants if p.version is not None}, reverse=True)
    groups = tuple(
        Group(version, sha256, tuple(p for p in plants if (p.version, p.sha256) == (version, sha256)))
        for version, sha256 in keys
    )
    return Comparison(groups, tuple(p.plant for p in plants if p.version is None))

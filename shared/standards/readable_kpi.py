"""A KPI's definition as people read it. Pure."""

from __future__ import annotations

from shared.standards.kpi_kind import Kpi, KpiCase, MeasureUse
from shared.standards.section import Section


def kpi_sections(document: Kpi) -> list[Section]:
    """Its formulas, and the cases that try them."""
    rows = tuple((f.at, f.title, f.formula, f.unit, "; ".join(map(_use, f.measures))) for f in document.formulas)
    said = [f"{document.better.capitalize()} is better. Sums first, the ratio last."]
    said += [f"ISO 22400-2: {document.iso22400}."] if document.iso22400 else []
    found = [Section("Formulas", tuple(said), ("At", "What", "Formula", "Unit", "Base measures"), rows)]
    if document.cases:
        cases = tuple(
            (case.name, case.at, ", ".join(f"{name} = {total}" for name, total in case.sums.items()), _figure(case))
            for case in document.cases
        )
        told = "They are run whenever the draft is saved; sums are in stored units."
        found.append(Section("Cases", (told,), ("Case", "At", "Sums", "Must give"), cases))
    return found


def _figure(case: KpiCase) -> str:
    return "no figure" if case.gives_milli is None else f"{case.gives_milli / 1000:g}"


def _use(use: MeasureUse) -> str:
    how = ", ".join(part for part in (use.collected, use.basis) if part)
    element = f" ({use.element})" if use.element else ""
    return f"{use.name}{element} = sum of {use.measure} at {use.of}" + (f", {how}" if how else "")

"""A rule over arriving facts as people read it. Pure."""

from __future__ import annotations

from shared.standards.group_rule import GroupRule, variables_about
from shared.standards.section import Section

_ABOUT = {
    "check": "a check at a plant",
    "hold": "a hold",
    "release": "the end of a hold",
    "sample": "an analysis",
    "stop": "a stop of a unit",
    "refusal": "a plant that refuses its standards",
    "deviation": "a deviation of a plant",
}


def group_sections(document: GroupRule) -> list[Section]:
    """What it is asked about, what must be true, who is told."""
    known = variables_about(document.about)
    rows = tuple((v.name, v.unit, known[v.name].meaning if v.name in known else "") for v in document.check.variables)
    apart = f", counted apart per {', '.join(document.per)}" if document.per else ""
    window = f"Counts within {document.window_min} min{apart}." if document.window_min else "Asked of each by itself."
    said = [f"Asked at the hub about {_ABOUT[document.about]}.", window]
    said += [f"Only where {document.check.applies}."] if document.check.applies else []
    then = document.otherwise
    lines = [f"Otherwise {', '.join(then.notify)} are told; of the same not again for {document.quiet_min} min."]
    lines += [f"Workflow {then.workflow}."] if then.workflow else []
    lines += [then.note] if then.note else []
    found = [
        Section("What must be true", (*said, document.check.condition), ("Name", "Unit", "Meaning"), rows),
        Section("Otherwise", tuple(lines)),
    ]
    if document.cases:
        tried = tuple(
            (c.name, ", ".join(f"{n} = {value}" for n, value in c.inputs.items()), c.outcome.replace("_", " "))
            for c in document.cases
        )
        told = "They are run whenever the draft is saved; inputs are in stored units."
        found.append(Section("Cases", (told,), ("Case", "Inputs", "Must come out"), tried))
    return found

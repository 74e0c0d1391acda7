"""Operations of the tests' own plant: a cut makes a subject known, a mark needs it."""

from __future__ import annotations

from sqlalchemy import select

from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from shared.journal.tables import subject_head
from shared.material.facts import MaterialMoved


def subject_of(message: Message) -> str:
    f = message.fields
    return f"slab:{f.get('slab') or '-'.join(str(f[name]) for name in ('heat', 'strand', 'cut'))}"


@operation("test_cut")
def cut(work: Work, message: Message) -> None:
    subject = subject_of(message)
    work.record(MaterialMoved(material_id=work.new_id(), place="YA"), (subject,))
    if message.fields["kind"] == "S":
        raise BadMessage("Samples are not cut here.", "kind")
    if message.fields["kind"] == "C":
        raise KeyError("crops")  # a mistake in an operation
    work.record(MaterialMoved(material_id=work.new_id(), place="YA1"), (subject,))


@operation("test_marked")
def marked(work: Work, message: Message) -> None:
    subject = subject_of(message)
    known = work.conn.execute(select(subject_head.c.fact_id).where(subject_head.c.subject == subject)).first()
    work.record(MaterialMoved(material_id=work.new_id(), place="MK1"), (subject,))
    if known is None:
        raise NotYet(f"slab {message.fields['slab']} is not known")


@operation("test_result")
def result(work: Work, message: Message) -> None:
    work.record(MaterialMoved(material_id=work.new_id(), place="LAB"), (message.fields["heat"],))

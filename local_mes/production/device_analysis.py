"""What a laboratory's analyser says, whether it calls a sample by its heat or by its number alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.devices.burns import as_rows, read_element, read_value
from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from local_mes.production.heat_sample import LABORATORY, record_result
from local_mes.production.heats import get_heat
from local_mes.production.in_work import find_told
from shared.quality.facts import ElementResult

MEANS = ("", "0", "AVG", "MEAN")
"""Of a column `burn`: rows that are a sample's mean."""
UNITS = {"pct": "%", "ppm": "ppm"}


@operation(
    "spectrometer_result",
    takes="sample:text heat?:text place?:text results[element:text op?:text value_e6 digits:whole]",
)
def spectrometer_result(work: Work, message: Message) -> None:
    """A sample's mean over its burns; each burn stays in the spooled message."""
    number = str(message.fields["sample"])
    heat, place = _heat_and_place(work, number, message.fields)
    results = tuple(
        ElementResult(str(row["element"]), int(row["value_e6"]), str(row.get("op") or ""), int(row["digits"]))
        for row in message.fields["results"]
    )
    record_result(work, heat, number, place, results)


@operation("spectrometer_row")
def spectrometer_row(work: Work, message: Message) -> None:
    """A record of an analyser that drops files: a column an element, `C`, `Mn_pct` or `N_ppm`; other burns are passed over."""
    f = message.fields
    if str(f.get("burn") or "").strip().upper() not in MEANS:
        return
    values = {}
    for name, text in f.items():
        symbol, _, unit = name.rpartition("_")
        if unit not in UNITS:
            symbol, unit = name, "pct"
        if len(symbol) > 2 or text in ("", None) or name == "id":
            continue  # no element: a column of the analyser's own
        try:
            values[read_element(symbol)] = read_value(str(text), UNITS[unit])
        except ValueError as error:
            raise BadMessage(f"{name}: {error}.", name) from error
    if not values:
        raise BadMessage("No column of the record is an element.")
    number = str(f["sample"])
    heat, place = _heat_and_place(work, number, f)
    results = tuple(
        ElementResult(str(row["element"]), int(row["value_e6"]), str(row["op"]), int(row["digits"]))
        for row in as_rows(values)
    )
    record_result(work, heat, number, place, results)


def _heat_and_place(work: Work, number: str, fields: dict[str, Any]) -> tuple[Row[Any], str]:
    """As the analyser says, else as the furnace said when it took the sample. NotYet while nobody has said it."""
    taken = find_told(work.conn, LABORATORY, number) or {}
    heat, place = (str(fields.get(name) or taken.get(name) or "") for name in ("heat", "place"))
    if not heat:
        raise NotYet(f"Nobody has said of which heat sample {number} is.")
    if not place:
        raise BadMessage(f"Nobody has said where sample {number} was taken.", "place")
    return get_heat(work, heat), place

"""Rows of transfers. Each has one author: the sender's list, the receiver's receipts, the hub's cases stand apart."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

shipment = projection_table(
    "shipment",
    Column("shipment_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("to_plant", Code, nullable=False),
    Column("lane", Code, nullable=False),
    Column("mode", Code, nullable=False),
    Column("vehicle", Code, nullable=False),
    Column("carrier", Code, nullable=False, server_default=""),  # who drives it; empty: nobody said
    Column("departed_at_ms", Int, nullable=False),
    Column("eta_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Index("ix_shipment_number", "number"),
    Index("ix_shipment_to_plant", "to_plant", "departed_at_ms"),
    Index("ix_shipment_recorded", "author", "recorded_at_ms"),
)

shipment_line = projection_table(
    "shipment_line",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("grade", Code, nullable=False),
    Column("order_item", Code, nullable=False),
    Column("position", Code, nullable=False),
    Column("custody_no", Int, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("mass_basis", Code, nullable=False),
    Column("scale", Code, nullable=False),
    Column("quality", Code, nullable=False),
    Column("piece", Words, nullable=False),  # PieceData as JSON: what the receiver takes over
    Column("entered", Code, nullable=False),  # advised | late
    Column("withdrawn", Boolean, nullable=False),  # the sender declared that it never left
    Column("departed_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Column("withdrawn_at_ms", Int, nullable=False),  # recorded_at of that declaration; 0 without
    Column("fact_id", Id, nullable=False),
    Index("ix_shipment_line_material_id", "material_id"),
    Index("ix_shipment_line_load", "shipment_id", "material_id"),
    Index("ix_shipment_line_recorded", "author", "recorded_at_ms"),
)

shipment_line_number = projection_table(
    "shipment_line_number",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("value", Code, primary_key=True),
    Index("ix_shipment_line_number_value", "value"),
)

departure_correction = projection_table(
    "departure_correction",
    Column("fact_id", Id, primary_key=True),
    Column("shipment_id", Id, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("kind", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Index("ix_departure_correction_shipment_id", "shipment_id"),
)

arrival = projection_table(
    "arrival",
    Column("fact_id", Id, primary_key=True),
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("from_plant", Code, nullable=False),
    Column("arrived_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Index("ix_arrival_shipment_id", "shipment_id"),
)

receipt = projection_table(
    "receipt",
    Column("receipt_id", Id, primary_key=True),
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("from_plant", Code, nullable=False),
    Column("material_id", Id, nullable=False),  # the true identity once it is known
    Column("taken_in_as", Id, nullable=False),  # the identity it came in under; another one for a provisional receipt
    Column("custody_no", Int, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("came_unlisted", Boolean, nullable=False),  # provisional at birth, for ever
    Column("printed_number", Code, nullable=False),
    Column("own_number", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("grade", Code, nullable=False),
    Column("order_item", Code, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("mass_basis", Code, nullable=False),
    Column("scale", Code, nullable=False),
    Column("sender_mass_g", Int),
    Column("sender_mass_basis", Code),
    Column("place", Code, nullable=False),
    Column("position", Code, nullable=False),
    Column("damage", Words, nullable=False),
    Column("received_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Column("matched_at_ms", Int, nullable=False),  # 0: not (or never needed)
    Column("fact_id", Id, nullable=False),
    Index("ix_receipt_material_id", "material_id"),
    Index("ix_receipt_load", "shipment_id", "material_id", "author", "receipt_id"),
    Index("ix_receipt_recorded", "author", "recorded_at_ms"),
    Index("ix_receipt_printed_number", "printed_number"),
    Index("ix_receipt_provisional", "provisional"),
)

transfer_word = projection_table(
    # what a side says of a line beside sending it and taking it in
    "transfer_word",
    Column("fact_id", Id, primary_key=True),
    # refused | returned | lost | diverted | amended | taken | differs | bundled | pictured | routed | swapped
    Column("kind", Code, nullable=False),
    Column("sender", Code, nullable=False),  # author of the load; with its id the load's key
    Column("shipment_id", Id, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("custody_no", Int, nullable=False),  # 0 where the word changes no custody
    Column("about", Id, nullable=False),  # the amendment taken, the receipt compared; else empty
    Column("note", Words, nullable=False),
    Column("detail", Words, nullable=False),  # JSON: PieceData amended, ids held, differences
    Column("said_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Index("ix_transfer_word_line", "shipment_id", "material_id"),
    Index("ix_transfer_word_recorded", "author", "recorded_at_ms"),
    Index("ix_transfer_word_material_id", "material_id"),
    Index("ix_transfer_word_kind", "kind"),
)

told_receipt = projection_table(
    # what the hub tells a sender of its pieces: who took them in; the receiver's own books stay its own
    "told_receipt",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("receipt_id", Id, nullable=False),
    Column("receiver", Code, nullable=False),
    Column("own_number", Code, nullable=False),
    Column("custody_no", Int, nullable=False),
    Column("received_at_ms", Int, nullable=False),
    Index("ix_told_receipt_material_id", "material_id"),
)

receipt_close = projection_table(
    "receipt_close",
    Column("fact_id", Id, primary_key=True),
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("from_plant", Code, nullable=False),
    Column("received", Int, nullable=False),
    Column("short_ids", Words, nullable=False),  # JSON list of material ids
    Column("closed_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Index("ix_receipt_close_shipment_id", "shipment_id"),
)

transfer_case = projection_table(
    "transfer_case",
    Column("case_id", Id, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("state", Code, nullable=False),  # open | resolved
    Column("shipment_id", Id, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("piece_number", Code, nullable=False),
    Column("receipt_id", Id, nullable=False),
    Column("from_plant", Code, nullable=False),
    Column("to_plant", Code, nullable=False),
    Column("summary", Words, nullable=False),
    Column("evidence", Words, nullable=False),  # JSON list of fact ids
    Column("figures", Words, nullable=False),  # JSON object of integers
    Column("since_ms", Int, nullable=False),  # when the contradiction could be judged
    Column("opened_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Column("resolution", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("resolved_by", Code, nullable=False),
    Column("resolved_at_ms", Int, nullable=False),  # 0 while open
    Column("due_at_ms", Int, nullable=False, server_default="0"),  # by the group's standard; 0: by its kind
    Column("reopened", Int, nullable=False, server_default="0"),  # how often it was opened again
    Index("ix_transfer_case_state", "state"),
    Index("ix_transfer_case_material_id", "material_id"),
)

case_charge = projection_table(
    # who looks after a case, whose turn it is, until when: the hub's last word
    "case_charge",
    Column("case_id", Id, primary_key=True),
    Column("owner", Code, nullable=False),  # opaque id of a person at the hub; empty: nobody
    Column("party", Code, nullable=False),  # node whose answer is awaited
    Column("deadline_ms", Int, nullable=False),
    Column("note", Words, nullable=False),
    Column("given_by", Code, nullable=False),
    Column("given_at_ms", Int, nullable=False),
    Index("ix_case_charge_owner", "owner"),
)

case_word = projection_table(
    # what hub and plants say to each other about a case
    "case_word",
    Column("fact_id", Id, primary_key=True),
    Column("case_id", Id, nullable=False),
    Column("kind", Code, nullable=False),  # said | confirmed | objected, the latter two with _before once replaced
    Column("text", Words, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("said_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Column("reopened", Int, nullable=False, server_default="0"),  # the end spoken of: reopened so often before it
    Index("ix_case_word_case_id", "case_id"),
    Index("ix_case_word_recorded", "author", "recorded_at_ms"),
)

awaiting_episode = projection_table(
    "awaiting_episode",
    Column("episode_id", Id, primary_key=True),
    Column("plant", Words, nullable=False),  # whose facts are awaited; several with a comma
    Column("receiver", Code, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("lines", Int, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("complete_to_ms", Int, nullable=False),
    Column("opened_at_ms", Int, nullable=False),
    Column("closed_at_ms", Int, nullable=False),
    Index("ix_awaiting_episode_closed", "closed"),
)

vehicle_weighing = projection_table(
    "vehicle_weighing",
    Column("weighing_id", Id, primary_key=True),
    Column("ticket", Code, nullable=False),
    Column("vehicle", Code, nullable=False),
    Column("gross_g", Int, nullable=False),
    Column("tare_g", Int, nullable=False),
    Column("net_g", Int, nullable=False),
    Column("gross_at_ms", Int, nullable=False),
    Column("tare_at_ms", Int, nullable=False),
    Column("scale", Code, nullable=False),
    Column("shipment_number", Code, nullable=False),
    Column("remark", Words, nullable=False),
    Column("weighed_at_ms", Int, nullable=False),
    Index("ix_vehicle_weighing_at", "author", "weighed_at_ms"),
    Index("ix_vehicle_weighing_ticket", "ticket"),
)

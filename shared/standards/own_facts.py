"""What the hub's own rules said, what a plant deploys of its own, and products that are being launched."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("GroupRuleFired")
class GroupRuleFired(Payload, frozen=True, kw_only=True):
    """A rule over arriving facts was broken, or could not be evaluated: by which fact, with which inputs.

    key: what counting was kept apart by. counted: the facts in the window, the youngest 50. workflow: what people do.
    """

    decision_id: str
    rule_id: str
    rule_version: int
    rule_hash: str
    plant: str
    fact_id: str
    key: str
    outcome: str
    inputs: dict[str, int | float | str]
    explanation: str
    counted: tuple[str, ...]
    at_ms: int
    workflow_id: str = ""
    workflow_version: int = 0
    workflow_hash: str = ""


@fact("OwnStandardDeployed")
class OwnStandardDeployed(Payload, frozen=True, kw_only=True):
    """A plant put a version of its own in force, or went back to an earlier one; version 0: none of it any more.

    trial: what trying it on a captured day said, as text; empty where it was not tried.
    """

    standard_id: str
    version: int
    sha256: str
    reason: str
    trial: str = ""
    back: bool = False


@fact("ProductLaunched")
class ProductLaunched(Payload, frozen=True, kw_only=True):
    """A product from PLM or ERP became drafts from a template. grade: by which its first heat is known.

    standards: "ID vN" of each draft. source: who asked, e.g. plm, erp, file, person.
    left_out: rules that were asked for and not written, each with the reason.
    """

    launch_id: str
    product_id: str
    title: str
    template: str
    grade: str
    source: str
    reference: str
    standards: tuple[str, ...]
    left_out: tuple[str, ...] = ()

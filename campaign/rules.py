"""The safety rules, and for each what is patched to be without it: named functions of the product, in each world.

No setting of the product can do this. In memory the functions of the pure core are patched where they are product code,
else their mirror; on SQLite always the real classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from campaign import memory, memory_caller, memory_desk, store
from campaign.worlds import WorldName
from shared.journal import life, replay
from sync import (
    believing,
    caller,
    desk,
    foreseeing,
    incoming,
    marks,
    mending,
    outgoing,
    positions,
    recovering,
    recovery,
    verdict,
)
from sync.anchoring import Anchoring
from sync.caller import Caller
from sync.desk import Desk
from sync.errors import OutOfStep
from sync.messages import EpochState, Receipt
from sync.outgoing import Run, Sealed

Change = tuple[object, str, Any]
"""Where a function lives, its name, and what takes its place."""


@dataclass(frozen=True)
class Rule:
    """A safety rule: what is patched in each world to be without it; made anew for every history."""

    name: str
    without: dict[WorldName, Callable[[], list[Change]]] = field(default_factory=dict)


def _believe_highest() -> Callable[[Sequence[EpochState], Sequence[EpochState]], Any]:
    """positions.missing, but the highest acknowledgement ever seen counts."""
    best: dict[str, EpochState] = {}
    missing = positions.missing

    def never_lower(heads: Sequence[EpochState], held: Sequence[EpochState]) -> Any:
        for state in held:
            if state.epoch not in best or best[state.epoch].seq < state.seq:
                best[state.epoch] = state
        return missing(heads, [best[state.epoch] for state in heads if state.epoch in best])

    return never_lower


def _believe_highest_kept(conn: Any, peer: str, streams: Any, held: Any, now_ms: int) -> None:
    """marks.accept_holdings, but what was acknowledged once stays."""
    best = {(state.stream, state.epoch): state for state in held if state.stream in streams}
    for state in marks.list_holdings(conn, peer, streams):
        if (state.stream, state.epoch) not in best or best[state.stream, state.epoch].seq < state.seq:
            best[state.stream, state.epoch] = state
    marks.move_holdings(conn, peer, best.values(), now_ms)


def _drop_acknowledged() -> Callable[..., int]:
    """A push that has no bodies any more for what was acknowledged once."""
    gone: dict[str, int] = {}
    push = memory_caller.MemoryCaller._push

    def pruned(
        site: memory_caller.MemoryCaller, line: Any, ticket: Any, chain: store.Chain, first: int, most: int
    ) -> int:
        if most and first <= gone.get(chain.epoch, 0):
            raise OutOfStep("campaign.pruned", f"Entry {first} was deleted after it was acknowledged.")
        last = push(site, line, ticket, chain, first, most)
        gone[chain.epoch] = max(last, gone.get(chain.epoch, 0))
        return last

    return pruned


def _drop_bodies_acknowledged() -> list[Change]:
    """A caller that has no bodies any more for what a receipt acknowledged once."""
    gone: dict[str, int] = {}
    deliver, read_run = Caller.deliver, outgoing.read_run

    def note(node: Caller, sealed: Sealed) -> Receipt:
        receipt = deliver(node, sealed)
        gone[receipt.epoch] = max(receipt.durable, gone.get(receipt.epoch, 0))
        return receipt

    def pruned(conn: Any, span: positions.Span, *limits: int) -> Run:
        if span.first <= gone.get(span.epoch, 0):
            raise OutOfStep("campaign.pruned", f"Entry {span.first} was deleted after it was acknowledged.")
        return read_run(conn, span, *limits)

    return [(Caller, "deliver", note), (caller, "read_run", pruned)]


def _planned(without: Callable[..., recovery.Plan]) -> list[Change]:
    """Another plan of recovery: where it is fetched for, and where it is carried out."""
    return [(recovering, "plan", without), (foreseeing, "plan", without)]


def _plan_without(*causes: str) -> Callable[..., recovery.Plan]:
    """recovery.plan that leaves these causes as they are."""
    whole = recovery.plan

    def partial(own: Any, held: Any, meets: Any) -> recovery.Plan:
        found = whole(own, held, meets)
        return replace(found, steps=tuple(step for step in found.steps if step.cause not in causes))

    return partial


def _plan_of_known() -> Callable[..., recovery.Plan]:
    """recovery.plan that does not look at epochs which only the reader knows."""
    whole = recovery.plan

    def partial(own: Any, held: Any, meets: Any) -> recovery.Plan:
        known = {state.epoch for state in own}
        return whole(own, [state for state in held if state.epoch in known], meets)

    return partial


def _judge_blindly(offer: verdict.Offer, copy: verdict.Copy | None, stored: Any, offered: Any) -> verdict.Verdict:
    """verdict.judge, but hashes are not compared."""
    durable = copy.durable if copy else 0
    if offer.first > durable + 1:
        return verdict.Verdict("gap", offer.first)
    if offer.last > durable and copy is not None and copy.branched:
        return verdict.Verdict("superseded", offer.first)
    return verdict.Verdict("stored", durable + 1)


def _judge_unfenced() -> Callable[..., verdict.Verdict]:
    """verdict.judge, but an epoch with a child goes on."""
    judge = verdict.judge

    def unfenced(offer: Any, copy: verdict.Copy | None, stored: Any, offered: Any) -> verdict.Verdict:
        return judge(offer, verdict.Copy(copy.durable, copy.hash) if copy else None, stored, offered)

    return unfenced


def _agree_anywhere(own: EpochState, held: EpochState, _own_hash: Any, _probe: Any) -> int:
    return min(own.seq, held.seq)


def _no(*_: Any) -> bool:
    return False


def _no_reason(*_: Any) -> str:
    return ""


def _nothing(*_: Any) -> None:
    return None


def _every(_conn: Any, entries: Sequence[Any]) -> list[Any]:
    return list(entries)


RULES: tuple[Rule, ...] = (
    Rule(
        "the receiver's cursor wins, also when it is lower than it was",
        {
            "memory": lambda: [(memory_caller, "missing", _believe_highest())],
            "sqlite": lambda: [(marks, "accept_holdings", _believe_highest_kept)],
        },
    ),
    Rule(
        "bodies are kept for ever",
        {
            "memory": lambda: [(memory_caller.MemoryCaller, "_push", _drop_acknowledged())],
            "sqlite": _drop_bodies_acknowledged,
        },
    ),
    Rule(
        "own history is pulled back",
        {
            "memory": lambda: [(recovery, "plan", _plan_without("behind", "fork"))],
            "sqlite": lambda: _planned(_plan_without("behind", "fork")),
        },
    ),
    Rule(
        "hash chain and fork check",
        {
            "memory": lambda: [(recovery, "meeting", _agree_anywhere), (verdict, "judge", _judge_blindly)],
            "sqlite": lambda: [(recovering, "meeting", _agree_anywhere), (incoming, "judge", _judge_blindly)],
        },
    ),
    Rule(
        "the hello shows the whole tree of epochs",
        {
            "memory": lambda: [(recovery, "plan", _plan_of_known())],
            "sqlite": lambda: _planned(_plan_of_known()),
        },
    ),
    Rule(
        "a fact has its effect once",
        {
            "memory": lambda: [(store.Rows, "knows", _no)],
            "sqlite": lambda: [(replay, "_not_applied", _every)],
        },
    ),
    Rule(
        "the anchor tells of a restore",
        {
            "memory": lambda: [(memory, "is_behind", _no)],
            "sqlite": lambda: [(life, "_reason", _no_reason)],
        },
    ),
    Rule(
        "only the latest session counts",
        {
            "memory": lambda: [(verdict, "is_stale", _no)],
            "sqlite": lambda: [(Desk, "_check_session", _nothing)],
        },
    ),
    Rule(
        "an epoch with a child, or a later one, is at its end",
        {
            "memory": lambda: [
                (recovery, "plan", _plan_without("superseded")),
                (verdict, "judge", _judge_unfenced()),
            ],
            "sqlite": lambda: [*_planned(_plan_without("superseded")), (incoming, "judge", _judge_unfenced())],
        },
    ),
    Rule(
        "an author's order of its epochs counts",
        {
            "memory": lambda: [(memory_desk, "renumber", _nothing)],
            "sqlite": lambda: [(desk, "follow_order", _no)],
        },
    ),
    Rule(
        "what is promised is in the anchor before it leaves",
        {
            "memory": lambda: [(memory_caller.MemoryCaller, "_cover", _nothing)],
            "sqlite": lambda: [(Anchoring, "cover", _nothing)],
        },
    ),
    Rule(
        "the numbers of a new life jump",
        {"sqlite": lambda: [(life, "jump", _nothing), (mending, "jump", _nothing), (recovering, "jump", _nothing)]},
    ),
    Rule(
        "a hub gets back what it wrote and lost",
        {"sqlite": lambda: [(recovering, "give_back", _nothing)]},
    ),
    Rule(
        "nothing is recorded before what was promised",
        {"sqlite": lambda: [(life, "raise_floor", _nothing), (believing, "raise_floor", _nothing)]},
    ),
)

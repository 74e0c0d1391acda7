"""The rules of recovery by themselves: named situations, and random histories of an author and a reader in memory."""

from __future__ import annotations

import copy
import hashlib
import random

import pytest

from sync.clones import Visit, is_change, suspected, turns
from sync.messages import ZERO_HASH, Branch, EpochState
from sync.recovery import last_equal, meeting, merge, plan
from sync.verdict import Copy, Offer, Ticket, is_stale, judge


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def name(number):
    return f"{number:032x}"


class Chain:
    """One epoch, written or copied."""

    def __init__(self, epoch, parent=None):
        self.epoch, self.parent, self.facts, self.hashes = epoch, parent, [], [ZERO_HASH]

    @property
    def head(self):
        return len(self.facts)

    def append(self, fact):
        self.facts.append(fact)
        self.hashes.append(digest(self.epoch, self.hashes[-1], fact))

    def cut(self, keep):
        gone = self.facts[keep:]
        del self.facts[keep:], self.hashes[keep + 1 :]
        return gone

    def at(self, place):
        return self.hashes[place] if place <= self.head else None

    def state(self, seen=None):
        meets = self.hashes[seen] if seen is not None and seen < self.head else None
        return EpochState("ALD", self.epoch, self.head, self.hashes[-1], self.parent, meets)


class Author:
    """A plant's journal: epochs oldest first, and an anchor that a rolled back machine loses with it."""

    def __init__(self, ids):
        self.ids, self.chains = ids, [Chain(ids())]

    def write(self, fact):
        self.chains[-1].append(fact)

    def child(self, parent):
        self.chains.append(Chain(self.ids(), Branch(parent.epoch, parent.head, parent.hashes[-1])))

    def facts(self):
        return [fact for chain in self.chains for fact in chain.facts]

    def compare(self, reader):
        own = [chain.state() for chain in self.chains]
        heads = {state.epoch: state.seq for state in own}
        held = [chain.state(heads.get(chain.epoch)) for chain in reader.chains.values()]
        meets = {}
        for chain in self.chains:
            other = reader.chains.get(chain.epoch)
            if other is not None:
                theirs = next(state for state in held if state.epoch == chain.epoch)
                meets[chain.epoch] = meeting(
                    chain.state(), theirs, chain.at, lambda places, other=other: [other.hashes[p] for p in places]
                )
        return plan(own, held, meets)

    def recover(self, reader):
        found = self.compare(reader)
        if found.clean:
            return False
        mine, carried = {chain.epoch: chain for chain in self.chains}, []
        for step in found.steps:
            chain = mine.setdefault(step.epoch, Chain(step.epoch, step.state.parent))
            carried += chain.cut(step.keep)
            for fact in reader.chains.get(step.epoch, Chain(step.epoch)).facts[step.keep : step.take]:
                chain.append(fact)
            assert chain.hashes[-1] == step.state.hash
        for moved in found.rebased:
            mine[moved.epoch].parent = Branch(moved.parent, moved.seq, mine[moved.parent].hashes[moved.seq])
        self.chains = [mine[epoch] for epoch in found.order]
        if found.parent:
            self.child(mine[found.parent])
        known = set(self.facts())
        for fact in carried:
            if fact not in known:
                self.write(fact)
        return True


class Reader:
    """A hub's copy of one author."""

    def __init__(self):
        self.chains = {}

    def branched(self, epoch):
        return any(chain.parent and chain.parent.epoch == epoch for chain in self.chains.values())

    def push(self, source, first, last):
        held = self.chains.get(source.epoch)
        if held is None and source.parent is not None:
            trunk = self.chains.get(source.parent.epoch)
            if source.parent.seq and (trunk is None or trunk.at(source.parent.seq) != source.parent.hash):
                return "unknown parent"
        here = Copy(held.head, held.hashes[-1], self.branched(source.epoch)) if held else None
        offer = Offer(first, last, source.hashes[first - 1])
        verdict = judge(offer, here, (held or Chain(source.epoch)).at, source.at)
        if verdict.answer == "stored":
            held = self.chains.setdefault(source.epoch, Chain(source.epoch, source.parent))
            for fact in source.facts[verdict.first_new - 1 : last]:
                held.append(fact)
        return verdict.answer

    def applied(self):
        return list(dict.fromkeys(fact for chain in self.chains.values() for fact in chain.facts))

    def renumber(self, order):
        self.chains = {epoch: self.chains[epoch] for epoch in order if epoch in self.chains}


class World:
    """One author, its clone now and then, one reader, dice."""

    def __init__(self, seed):
        self.dice, self.number = random.Random(seed), 0
        self.author, self.reader = Author(self.next_id), Reader()
        self.backups, self.reader_backups, self.late = [], [copy.deepcopy(self.reader)], []
        self.written = set()

    def next_id(self):
        self.number += 1
        return name(self.number)

    def write(self):
        for _ in range(self.dice.randint(1, 3)):
            self.author.write(f"f{self.next_id()}")

    def keep(self):
        self.backups = [*self.backups[-2:], copy.deepcopy(self.author)]

    def restore(self):
        if self.backups:
            self.author = copy.deepcopy(self.dice.choice(self.backups))
            self.author.ids = self.next_id
            if self.dice.random() < 0.5:  # the anchor was not rolled back with it
                self.author.child(self.author.chains[-1])

    def keep_reader(self):
        self.reader_backups = [*self.reader_backups[-2:], copy.deepcopy(self.reader)]

    def restore_reader(self):
        self.reader = copy.deepcopy(self.dice.choice(self.reader_backups))

    def lose(self):
        """The author's disk is gone; enrolled again it begins empty."""
        if self.reader.chains:
            self.author.chains = []
            if self.dice.random() < 0.3 or not self.author.recover(self.reader):
                self.author = Author(self.next_id)

    def take_turns(self):
        """A clone writes and exchanges beside the author."""
        twin = copy.deepcopy(self.author)
        twin.ids = self.next_id
        self.author, real = twin, self.author
        self.write()
        self.exchange()
        self.author = real

    def exchange(self, faulty=True):
        for _ in range(3):
            self.reader.renumber([*[c.epoch for c in self.author.chains], *self.reader.chains])
            if not self.author.recover(self.reader):
                break
        assert self.author.compare(self.reader).clean, "a recovery asks for itself again"
        for chain in self.author.chains:
            held = self.reader.chains.get(chain.epoch)
            at = held.head if held else 0
            while at < chain.head:
                last = min(chain.head, at + self.dice.randint(1, 4))
                if faulty and self.dice.random() < 0.2:
                    self.late.append((copy.deepcopy(chain), at + 1, last))
                    return
                answer = self.reader.push(chain, at + 1, last)
                assert answer == "stored", answer
                at = last

    def deliver_late(self):
        if self.late:
            self.reader.push(*self.late.pop(self.dice.randrange(len(self.late))))

    def step(self):
        deeds = {
            self.write: 40, self.exchange: 30, self.keep: 6, self.restore: 5, self.keep_reader: 6,
            self.restore_reader: 5, self.deliver_late: 5, self.take_turns: 2, self.lose: 1,
        }  # fmt: skip
        self.dice.choices(list(deeds), list(deeds.values()))[0]()


@pytest.mark.fault(41, 43, 44, 45, 46, 47, 48, 49, 56)
@pytest.mark.parametrize("block", range(4))
def test_random_histories_end_with_the_same_facts_in_the_same_order_on_both_sides(block):
    for seed in range(block * 50, block * 50 + 50):
        world = World(seed)
        for _ in range(60):
            world.step()
        before = set(world.author.facts()) | set(world.reader.applied())
        for _ in range(3):
            world.exchange(faulty=False)
        author, reader = world.author.facts(), world.reader.applied()
        assert list(dict.fromkeys(author)) == reader, seed
        assert set(reader) == before, f"seed {seed}: a fact of either side was lost"
        parents = {c.epoch: c.parent for c in world.author.chains if c.head}
        assert {e: c.parent for e, c in world.reader.chains.items() if c.head} == parents, seed


def state(epoch, seq, tag="a", parent=None, meets=None):
    return EpochState("ALD", name(epoch), seq, digest(tag, seq), parent, meets)


def test_level_nodes_and_a_reader_that_lacks_something_ask_for_nothing():
    own = [state(1, 7), state(2, 3)]
    assert plan(own, [], {}).clean
    assert plan(own, own, {name(1): 7, name(2): 3}).clean
    assert plan(own, [state(1, 4)], {name(1): 4}).clean


def test_a_plant_without_an_epoch_takes_everything_and_opens_a_child_of_the_last():
    found = plan([], [state(1, 7), state(2, 3)], {})
    assert [step.cause for step in found.steps] == ["forgotten", "forgotten"]
    assert (found.order, found.parent) == ((name(1), name(2)), name(2))


def test_a_forgotten_epoch_comes_before_what_the_reader_does_not_know():
    own = [state(1, 4), state(9, 2, parent=Branch(name(1), 4, digest("a", 4)))]
    found = plan(own, [state(1, 7), state(2, 3)], {name(1): 4})
    assert [(step.cause, step.keep, step.take) for step in found.steps] == [("behind", 4, 7), ("forgotten", 0, 3)]
    assert found.order == (name(1), name(2), name(9))
    assert not found.child


def test_an_epoch_that_grew_from_entries_given_up_stands_on_the_last_that_stays():
    own = [state(1, 6), state(9, 2, parent=Branch(name(1), 6, digest("a", 6)))]
    found = plan(own, [state(1, 8, tag="b")], {name(1): 4})
    assert found.steps[0].cause == "fork"
    assert [(r.epoch, r.parent, r.seq) for r in found.rebased] == [(name(9), name(1), 4)]


def test_entries_written_after_the_reader_saw_a_child_are_carried():
    child = state(2, 3, parent=Branch(name(1), 5, digest("a", 5)))
    found = plan([state(1, 8)], [state(1, 5), child], {name(1): 5})
    assert [(s.cause, s.keep, s.take) for s in found.steps] == [("superseded", 5, 5), ("forgotten", 0, 3)]
    assert found.parent == name(1)


def test_entries_written_after_the_reader_took_a_later_epoch_are_carried_whatever_that_grew_from():
    found = plan([state(1, 8)], [state(1, 5), state(2, 3)], {name(1): 5})
    assert [(s.cause, s.keep, s.take) for s in found.steps] == [("superseded", 5, 5), ("forgotten", 0, 3)]
    assert (found.order, found.parent) == ((name(1), name(2)), name(1))
    known = plan([state(1, 8), state(2, 3), state(3, 1)], [state(1, 5), state(2, 3)], {name(1): 5, name(2): 3})
    assert [(s.cause, s.epoch, s.keep) for s in known.steps] == [("superseded", name(1), 5)]
    assert not known.child


def test_an_epoch_goes_on_though_the_reader_heard_of_a_later_one_without_entries():
    own = [state(1, 8), state(2, 0)]
    assert plan(own, [state(1, 5), state(2, 0)], {name(1): 5, name(2): 0}).clean


def test_the_order_of_both_sides_is_kept_where_they_agree():
    a, b, mine, new, last = (state(n, 1) for n in range(5))
    assert merge([a, b, mine], [a, new, b, last]) == tuple(name(n) for n in (0, 3, 1, 4, 2))
    assert merge([], [a, b]) == (name(0), name(1))
    assert merge([a, mine], [new, a]) == (name(3), name(0), name(2))


def test_a_child_of_an_epoch_that_the_reader_never_saw_comes_after_it_and_ends_it():
    child = state(2, 3, parent=Branch(name(1), 0, ZERO_HASH))
    found = plan([state(1, 4)], [child], {})
    assert found.order == (name(1), name(2))
    assert [(s.cause, s.keep, s.take) for s in found.steps] == [("superseded", 0, 0), ("forgotten", 0, 3)]
    assert found.parent == name(1)


@pytest.mark.parametrize("parted", [1, 2, 63, 64, 65, 66, 4_000, 5_000])
def test_the_place_where_chains_part_is_found_in_few_probes(parted):
    asked = []

    def probe(places):
        asked.append(len(places))
        return ["same" if place < parted else "theirs" for place in places]

    found = last_equal(0, 5_000, lambda place: "same" if place < parted else "ours", probe)
    assert found == parted - 1
    assert len(asked) <= 4
    assert max(asked, default=0) <= 64


@pytest.mark.parametrize(
    ("offer", "held", "answer"),
    [
        ((1, 3, 0), None, "stored"),
        ((2, 3, 1), None, "gap"),
        ((4, 6, 3), 3, "stored"),
        ((5, 6, 4), 3, "gap"),
        ((1, 3, 0), 3, "stored"),
        ((2, 5, 1), 3, "stored"),
    ],
)
def test_a_batch_is_stored_from_where_the_copy_ends(offer, held, answer):
    first, last, prev = offer
    here = None if held is None else Copy(held, f"h{held}")
    stored = {0: ZERO_HASH} | {n: f"h{n}" for n in range(1, (held or 0) + 1)}
    verdict = judge(Offer(first, last, stored.get(prev, f"h{prev}")), here, stored.get, lambda n: f"h{n}")
    assert verdict.answer == answer
    if answer == "stored":
        assert verdict.first_new == (held or 0) + 1


@pytest.mark.parametrize("prev", ["h3", "other"])
def test_another_hash_before_or_inside_the_overlap_is_a_fork(prev):
    stored = {3: "h3", 4: "h4"}
    offered = (lambda n: f"h{n}") if prev == "other" else (lambda n: "other")
    assert judge(Offer(4, 6, prev), Copy(4, "h4"), stored.get, offered).answer == "fork"


def test_an_epoch_with_a_child_takes_nothing_new_but_says_again_what_it_holds():
    stored = {0: ZERO_HASH, 1: "h1", 2: "h2"}
    ended = Copy(2, "h2", branched=True)
    assert judge(Offer(3, 3, "h2"), ended, stored.get, lambda n: f"h{n}").answer == "superseded"
    assert judge(Offer(1, 2, ZERO_HASH), ended, stored.get, lambda n: f"h{n}").answer == "stored"


def test_only_the_session_opened_last_by_this_incarnation_counts():
    assert not is_stale(Ticket("i", "s"), Ticket("i", "s"))
    assert is_stale(Ticket("i", "s"), Ticket("i", "t"))
    assert is_stale(Ticket("i", "s"), Ticket("j", "s"))
    assert is_stale(Ticket("i", "s"), None)


@pytest.mark.fault(50)
def test_two_machines_that_take_turns_are_told_at_the_second_turn():
    calls = [("a", "1"), ("b", "1"), ("b", "2"), ("a", "1"), ("a", "3")]
    visits = [Visit(*who, at_ms=at) for at, who in enumerate(calls)]
    assert turns(visits, 10) == 1
    visits.append(Visit("b", "2", 10))
    assert suspected(visits, 11)
    assert not suspected(visits, 10 + 25 * 3_600_000)


@pytest.mark.parametrize(
    "calls",
    [
        [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")],  # restored again and again
        [("a", "1"), ("b", "1"), ("a", "1"), ("b", "1")],  # two processes on one database
        [("a", "1"), ("a", "2"), ("a", "1"), ("a", "2")],
    ],
)
def test_restores_restarts_and_two_processes_on_one_database_are_no_clones(calls):
    assert turns([Visit(*who, at_ms=at) for at, who in enumerate(calls)], 9) == 0


def test_only_another_caller_is_a_visit():
    first = Visit("a", "1", 1)
    assert is_change([], first)
    assert not is_change([first], Visit("a", "1", 2))
    assert is_change([first], Visit("a", "2", 2))

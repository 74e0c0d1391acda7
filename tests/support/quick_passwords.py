"""Passwords hashed quickly: a real hash costs 0.15 s on purpose, and hundreds of tests sign people in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher

from shared.web import accounts

REAL = accounts._hasher


@contextmanager
def quick_passwords() -> Iterator[None]:
    """As long as it lasts, this process hashes with the least work that argon2 knows; REAL keeps what the product does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield

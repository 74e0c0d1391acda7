"""The journal: facts, their places in streams, and how they become rows."""

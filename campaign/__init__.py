"""Histories of a group from seeds: the real journal and sync under every fault we know, judged by the invariants."""

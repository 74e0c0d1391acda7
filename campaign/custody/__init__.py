"""Transfers among five plants from seeds: the real plant, hub and sync under faults, judged against what truly happened."""

"""Drills: what the product promises for bad days, played on one machine with its own code, and judged."""

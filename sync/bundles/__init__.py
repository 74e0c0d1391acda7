"""Bundles: what two nodes would say over a line, in a signed file that a person carries."""

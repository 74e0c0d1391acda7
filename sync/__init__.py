"""Moves streams of facts between nodes. It knows no steel."""

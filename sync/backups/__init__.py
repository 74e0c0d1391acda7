"""Backups of a node: taken while it runs, checked by restoring them, put back; keys apart."""

"""Domains of a plant that the centre may own: who decides, what it decided, and what the plant made of it."""

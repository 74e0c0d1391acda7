"""Timings of the product, each a module that says what it measures; `python -m bench` runs them all."""

"""The judge: holds the physical ledger against what plants and hub say through their public APIs.

It imports nothing of the product and knows nothing of how it works. `python -m demo.judge --dir demo-run --json`
prints a summary and exits 0 only when every check is content.
"""

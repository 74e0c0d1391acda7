"""The day of the example group as pure, seeded data: what happens physically, and what is told to whom, when.

Nothing here opens a file or a socket. `day.build(...)` gives a Scenario: events in time order, each with the ledger
lines that
become true when it is played. Modules: moments (times), chance (seeded draws), steel (grades and chemistry), castplan
(cut times
and heat shares), rolling and strip (mass and length through the lines), script (collects events), then one module a
line.
"""

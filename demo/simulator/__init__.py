"""Plays the scenario on the real interfaces: OPC UA servers, telegram peers, people and Level 4 by HTTP. Imports
nothing of the product.

player.py holds the only loop: next event, clock, wire, ledger, progress. Each wire is a module: opcua_server,
telegram_peer, people, wan.
What was played is in `progress.json`, what became true in `ledger.jsonl`; a simulator that is started again goes on
from there and
repeats at most the one event that was under way, with the same bytes and the same command ids.
"""

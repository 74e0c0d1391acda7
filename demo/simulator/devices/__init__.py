"""Devices of the plant floor as their makers build them: what stands at the other end of a link to a device.

Each keeps its own state, speaks its own protocol on a real socket, and does on demand what goes wrong in a plant.
"""

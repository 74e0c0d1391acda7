"""Telegrams of fixed layout: layout files, their bytes, what is plausible."""

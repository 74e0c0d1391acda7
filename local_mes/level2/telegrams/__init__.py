"""Telegrams as data: layout files, the bytes they mean, what is plausible, where each field stands."""

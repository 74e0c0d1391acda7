"""Set-points that people sent to Level 2, on record: who, when, for which piece, and what the unit said."""

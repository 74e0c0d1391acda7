"""Pages that plant and hub share: find a number, look at a piece, trace it as a graph and as a strip to scale."""

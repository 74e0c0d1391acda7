"""Ten years of a steel group, made up by the rules of its steps: for timings and for trying things at full size."""

"""Orders and schedules of the plant: what is to be made for whom, and what comes next at each unit."""

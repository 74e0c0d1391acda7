"""The plant model: areas, units with class and parameters, lanes, links to Level 2, numbers, calendar."""

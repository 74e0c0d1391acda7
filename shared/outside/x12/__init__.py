"""Messages in the shape of ANSI X12 as steel processing uses them: mapping files (*.toml) and what reads and writes by them."""

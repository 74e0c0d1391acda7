"""The database: engines, transactions, column types, marking of tables."""

"""Tools for developers: web assets, migrations, a PostgreSQL for tests, mutation."""

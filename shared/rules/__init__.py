"""The expression language of the standards and its evaluation: typed when written, bounded when run."""

"""The editor of all kinds: a form made of a document's schema, checked as one types, without a line of it a kind."""

"""The checks, one module a category of items: each takes a case and gives results."""

"""A /health endpoint for services: what runs here, since when, and whether it is well."""

"""A /health endpoint for services: what runs here, since when, and is it well?"""

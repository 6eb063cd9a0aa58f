"""GitHub, and GitHub Enterprise, as a forge (`grind.ports.Forge`). httpx is imported from here."""

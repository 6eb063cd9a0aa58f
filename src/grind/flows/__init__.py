"""The flows: what grind does, in terms of ports only. They never print."""

"""The page to look at: one HTML file that asks nobody for anything."""

"""Shell text as data: words, statements, the programs inside programs."""

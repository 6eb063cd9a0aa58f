"""Commands of the tests' own, to see what the door does with what they do."""

"""The command verbs: arguments in, one flow called, events to the ui."""

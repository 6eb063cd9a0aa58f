"""The few thick interfaces between flows and the world."""

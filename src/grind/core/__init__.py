"""The pure core: values and decisions, no effects, no clock, no environment."""

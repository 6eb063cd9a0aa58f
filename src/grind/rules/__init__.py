"""Guardrails: one rule, one file, one table of cases."""

"""Benchmarks: grind beside what users would pick instead, as ratios of medians."""

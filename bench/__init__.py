"""Benchmarks: ratios beside what users would pick instead."""

"""GitHub Actions workflows as data: pure, importable, typed."""

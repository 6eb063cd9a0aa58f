# Everything a newcomer needs: `make demo` and `make test` set themselves up.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# Many tests wait (for a service to fail, for a host to answer): two for each processor.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: help demo test lint parts bench docs campaign lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

$(STAMP): requirements-dev.lock pyproject.toml tools/bootstrap.sh src/grind/door.sh
	@tools/bootstrap.sh $(VENV)
	@touch $@

demo: $(STAMP) ## the whole loop on a sample repository, on this machine
	@$(BIN)/grind demo

test: lint parts ## lint, types, import floors, and every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q -m "not campaign"

lint: $(STAMP) ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

parts: ## the real parts that tests talk to: sshd, Nix, a browser (Debian packages, as root)
	@tools/parts.sh

campaign: $(STAMP) parts ## what is too long for CI: exhaustive kills, fuzzing, a million expressions
	$(BIN)/python -m pytest -n auto -q -m campaign

bench: $(STAMP) ## grind beside what users would pick instead, as ratios of medians
	$(BIN)/python -m bench

docs: $(STAMP) ## regenerate what is generated: schemas, reference pages
	$(BIN)/python tools/docs.py

lock: ## renew requirements-dev.lock (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev -o requirements-dev.lock pyproject.toml

clean: ## remove what make has built
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache

# `make demo` and `make test` need only make and Python >= 3.11; everything is installed into .venv.
BIN := .venv/bin
STAMP := .venv/installed
TYPES := build/types/holdfast

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
FIND := for p in python3.13 python3.12 python3.11 python3.14 python3; do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(or $(shell $(FIND)),python3)

.PHONY: demo test check dev bench bench-peers bench-triage snapshots lock clean

# The review desk on a seeded project.
demo: $(STAMP)
	@exec $(BIN)/holdfast demo

test: $(STAMP)
	$(BIN)/pytest

# Lint, format, types, direction of imports.
check: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# All that the other targets need.
dev: $(STAMP) $(TYPES)

# Each benchmark prints a ratio to a baseline measured in the same run.
bench: $(STAMP)
	@set -e; for bench in benchmarks/bench_*.py; do $(BIN)/python "$$bench"; done

# The same beside other tools, which are installed into an environment of their own.
bench-peers: $(STAMP) build/peers/installed
	@set -e; for bench in benchmarks/peers/bench_*.py; do $(BIN)/python "$$bench"; done

# How early the bad samples of data with a known truth come; minutes.
bench-triage: $(STAMP)
	@$(BIN)/python benchmarks/triage/bench_triage.py

build/peers/installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv --clear build/peers
	build/peers/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Accept the pictures of the screens as they are now, and draw those of the documentation.
snapshots: $(STAMP)
	$(BIN)/pytest tests/tui --snapshot-update
	$(BIN)/python docs/pictures.py

# Resolve every dependency anew.
lock: $(STAMP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest --all-extras --group dev \
		--upgrade --generate-hashes --no-annotate --custom-compile-command "make lock" --quiet -o requirements.lock

clean:
	rm -rf .venv build dist *.egg-info .hypothesis .*_cache

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "Holdfast needs Python 3.11 or newer. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'from ensurepip import version' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing into .venv (once; a few minutes on a slow line)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(TYPES):
	@mkdir -p $@
	@ln -s ../../../db ../../../verifiers ../../../reviewer $@

# The README's commands. `make help` lists them.
PYTHON ?= python3
CORPUS ?= ../shared/corpus
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo up test check format lint types corpus rates validate bench bench-export bench-dcat-read soak lock wheel clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 18

demo: .venv/.runtime  ## harvest four sample portals, search them, serve the API (ONCE=1: do not serve)
	@$(BIN)/harvester demo $(if $(ONCE),--once)

up: .venv/.runtime  ## the product: API, scheduler and worker
	@$(BIN)/harvester up

test: .venv/.test  ## the whole test suite, on SQLite and PostgreSQL, by up to four processes
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: .venv/.test format lint types test  ## format, lint, types, tests

format: .venv/.test
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }

lint: .venv/.test
	@$(BIN)/ruff check --quiet .

types: .venv/.test
	@$(BIN)/mypy --no-error-summary

corpus: .venv/.test  ## replay recorded payloads of real portals (CORPUS=DIR) and print what arrived
	@$(BIN)/python -m bench.corpus $(CORPUS)

rates: .venv/.test  ## how much of what real portals write stands for a concept, by vocabulary (CORPUS=DIR)
	@$(BIN)/python -m bench.rates $(CORPUS)

validate: .venv/.test  ## exports of recorded and sample portals against the official shapes (CORPUS=DIR)
	@$(BIN)/python -m bench.validate --corpus $(CORPUS)

bench: .venv/.test  ## harvest speed, as a ratio to a floor that only downloads and stores
	@$(BIN)/python -m bench.harvest

bench-export: .venv/.test  ## export speed and memory in each format, against rdflib
	@$(BIN)/python -m bench.export

bench-dcat-read: .venv/.test  ## feeds of 100 MB read into datasets, against rdflib
	@$(BIN)/python -m bench.dcat_read

soak: .venv/.test  ## 200 living portals, a fifth of them faulty, harvested on a fast clock by a service that is killed
	@$(BIN)/python -m bench.soak

wheel: .venv/.test  ## build dist/*.whl
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock:  ## pin the dependencies again, for every supported Python
	@uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	  --extra build --output-file requirements.lock pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	  --extra build --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml

clean:  ## remove the environment, the demo's catalogue and what tools left
	@rm -rf .venv dist build harvester-data .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "$(PYTHON) is missing or older than 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "this Python cannot make virtual environments; install its venv module (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made requirements.lock pyproject.toml
	@echo "installing into .venv (once)"
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: .venv/.runtime requirements-test.lock
	@$(PIP) install --requirement requirements-test.lock
	@touch $@

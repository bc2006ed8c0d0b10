# Everything a newcomer needs is `make run` and `make test`; both install what they need.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DATA := $(if $(LIVE),data,data/sandbox)
DATA_DIR ?= data
ENDPOINTS := $(if $(LIVE),live,sandbox)
# Long files first, and what shares a costly fixture in one process: CONTRIBUTING.md.
SPREAD := --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run ui test test-fast test-duckdb2 shared lint format bench docs campaign campaigns scorecard lock clean

help:  ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(VENV)/.installed  ## fetch, build and publish: synthetic data, or real with LIVE=1
	$(BIN)/liquidity run $(if $(LIVE),,--sandbox)

ui: $(VENV)/.installed  ## open Dagster's UI on the same data
	LIQUIDITY_ENDPOINTS=$(ENDPOINTS) LIQUIDITY_DATA_DIR=$(DATA) $(BIN)/liquidity ui

test: $(VENV)/.installed  ## run all tests
	$(BIN)/pytest -n 2 $(SPREAD)

test-fast: $(VENV)/.installed  ## run the tests that need no server, no built history and no long draw: a good minute
	$(BIN)/pytest -n 2 $(SPREAD) -m 'not replay and not slow and not campaign'

test-duckdb2: $(VENV)/.installed  ## the same tests on DuckDB 2.0, in an environment of its own
	$(PYTHON) -m venv $(VENV)-duckdb2
	$(VENV)-duckdb2/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(VENV)-duckdb2/bin/python -m pip install --quiet --upgrade 'duckdb==2.0.*'
	$(VENV)-duckdb2/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(VENV)-duckdb2/bin/pytest -n 2 $(SPREAD)

# DuckLake's extensions are for DuckDB 1.5.5 only, and PySpark is an extra: an environment of its own.
SHARED := $(VENV)-shared
SHARED_TESTS := storage/test_shared_catalogue.py storage/test_shared_lake.py test_sharing.py engines
shared: $(SHARED)/.installed  ## the tests of DuckLake, PostgreSQL, object store and Spark; none may be skipped
	$(SHARED)/bin/pytest --no-skips -m 'campaign or not campaign' \
	    $(addprefix liquidity_pipeline_tests/,$(SHARED_TESTS))

lint: $(VENV)/.installed  ## linter, formatter and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed  ## sort imports and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed $(VENV)-io/.installed  ## measure beside the alternatives, and write docs/performance.md
	$(BIN)/python -m liquidity_pipeline_tests.benchmarks --io-python $(VENV)-io/bin/python

docs: $(VENV)/.installed  ## write what is generated: data dictionary, glossary, lineage of the queries
	$(BIN)/python -m liquidity_pipeline.contracts.dictionary docs/data-dictionary.md
	$(BIN)/python -m liquidity_pipeline.contracts.glossary docs/glossary.md
	$(BIN)/python -m liquidity_pipeline.models.lineage_file

campaign: $(VENV)/.installed  ## is the sandbox's truth found again in 50 worlds? (half an hour)
	$(BIN)/python -m liquidity_pipeline_tests.campaign_truth --write docs/methodology.md

# Nightly. Each line runs whatever the others found, and the target fails if any bar is missed.
CAMPAIGNS := readers formats faults corrections disks kills time years
campaigns: $(VENV)/.installed  ## kills, faults, readers, outages, real servers: hours; fails if a bar is missed
	failed=; $(BIN)/pytest -m campaign || failed="$$failed tests"; \
	$(MAKE) shared || failed="$$failed shared"; \
	for name in $(CAMPAIGNS); do \
	    $(BIN)/python -m liquidity_pipeline_tests.campaign_$$name || failed="$$failed $$name"; \
	done; \
	$(BIN)/python -m liquidity_pipeline_tests.campaign_outages --sources-only || failed="$$failed outages"; \
	test -z "$$failed" || { echo "missed:$$failed"; exit 1; }

scorecard: $(VENV)/.installed  ## write hits and misses of the stress gauges, from real data
	LIQUIDITY_DATA_DIR=$(DATA_DIR) $(BIN)/python -m liquidity_pipeline.scorecard docs/methodology.md

lock:  ## resolve the dependencies again and pin them by hash
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header --quiet \
	    --upgrade-package duckdb==1.5.6 -o requirements.lock

# The lock names everything there is to install, so pip has nothing to resolve.
$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "installing into $(VENV): one to three minutes, once; the first run after it fetches and"
	@echo "builds for about a minute on the sandbox, and for much longer with LIVE=1 (since 2005-10)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(SHARED)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(SHARED)
	$(SHARED)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(SHARED)/bin/python -m pip install --quiet -e '.[ducklake,spark]'
	touch $@

# What the benchmarks compare with. It refuses pandas 3, so it has an environment of its own.
$(VENV)-io/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)-io
	$(VENV)-io/bin/python -m pip install --quiet \
	    dagster-duckdb-pandas==0.29.27 'duckdb==1.5.*' 'pyarrow==26.*'
	touch $@

clean:  ## remove the environments
	rm -rf $(VENV) $(SHARED) $(VENV)-io $(VENV)-duckdb2 $(VENV)-lock

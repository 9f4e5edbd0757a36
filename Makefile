# One habit each. `make demo` and `make test` need nothing but Debian, Python 3.11+, Java 17+ and Maven.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check format stack stop bench torture generate

help:            ## these lines
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(INSTALLED): requirements/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements/dev.txt
	touch $(INSTALLED)

demo: $(INSTALLED) ## a believable day through the whole system; ends with the audit
	$(RUN) -m stack up --instance demo --fresh
	MILLRACE_ENV_FILE=.stack/demo/env $(RUN) -m streams demo

test: $(INSTALLED) ## every test, on real servers
	$(RUN) -m pytest -n auto --no-loadscope-reorder

check: $(INSTALLED) ## format, lint, types, imports, contracts, unit tests: under a minute
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) -m schemas.generate --check
	$(RUN) -m dashboards --check
	$(RUN) -m scripts.requirements --check
	$(RUN) -m pytest tests/unit tests/laws -q -n auto

format: $(INSTALLED) ## put the code into shape
	$(VENV)/bin/ruff check --fix --quiet . ; $(VENV)/bin/ruff format --quiet .

generate: $(INSTALLED) ## write what is derived: Avro schemas, AsyncAPI, the dashboard, requirements with their tests
	$(RUN) -m schemas.generate
	$(RUN) -m dashboards
	$(RUN) -m scripts.requirements

stack: $(INSTALLED) ## start the servers and keep them
	$(RUN) -m stack up

stop: $(INSTALLED) ## stop the servers of `make stack` and `make demo`
	@for name in local demo; do if [ -d .stack/$$name ]; then $(RUN) -m stack down --instance $$name; fi; done

bench: $(INSTALLED) ## speed beside the peers, trip life, latency, flatness: about 20 minutes
	$(RUN) -m benchmarks

torture: $(INSTALLED) ## load, faults and proof: no penny wrong, for half an hour; the seed is in the report
	$(RUN) -m tests.torture $(TORTURE)

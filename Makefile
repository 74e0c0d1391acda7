# Strandline. `make help` lists what there is. Two commands do all set-up: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
ROOMS := local_mes central_hub sync shared drill demo campaign bench tools
ARGS ?=
DAYS ?= 1..10
# Of the first part many wait for others, so three share two processors; a whole group needs both by itself.
TESTS := $(PY) -m pytest --dist loadfile --no-loadscope-reorder -m "not slow"
unexport PYTHONDONTWRITEBYTECODE # without its own bytecode every start of a node compiles 600 modules: half a second

.PHONY: help setup bundle lint-rollout test-rollout assets peers system demo test lint format bench campaign mutate clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready assets ## virtual environment and web assets, from the package registries

$(VENV)/.ready: requirements.lock pyproject.toml
	@tools/make_venv.sh $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

assets: shared/web/static/vendor/.ready ## web assets from npm, with integrity hashes

shared/web/static/vendor/.ready: package-lock.json tools/assets.py | $(VENV)/.ready
	@$(PY) tools/assets.py
	@touch $@

PEERS := $(wildcard tests/peers/*/package-lock.json)
peers: $(PEERS:package-lock.json=node_modules/.ready) ## programs of others that the tests talk to, from npm, with integrity hashes

$(PEERS:package-lock.json=node_modules/.ready) &: $(PEERS) tools/peers.py | $(VENV)/.ready
	@$(PY) -m tools.peers

system: ## Debian packages the tests use: Chromium, PostgreSQL (only when root; says what it does)
	@tools/system_packages.sh

demo: setup ## a steel group on this machine; ARGS="--once --json", "--size small", "--speed 120"
	@$(PY) -m demo $(ARGS)

test: setup peers system ## all tests but the slow ones: unit, integration on SQLite and PostgreSQL, federation, browser
	$(TESTS) -n 3 --ignore=tests/federation --ignore=tests/browser $(ARGS)
	$(TESTS) -n 2 tests/federation tests/browser $(ARGS)

lint: $(VENV)/.ready ## style, types, import contracts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy $(ROOMS)
	$(VENV)/bin/lint-imports --no-cache

format: $(VENV)/.ready ## rewrite layout of the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bundle: setup ## everything a site needs in one file, to install without a network: dist/strandline-….tar
	$(PY) -m tools.bundle $(ARGS)

.venv-rollout/.ready: requirements-rollout.lock
	@tools/make_venv.sh .venv-rollout
	@.venv-rollout/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-rollout.lock
	@touch $@

lint-rollout: .venv-rollout/.ready ## style of the playbooks
	cd ansible && PATH="$(CURDIR)/.venv-rollout/bin:$$PATH" ansible-lint --offline

test-rollout: setup .venv-rollout/.ready ## the playbooks on real hosts (systemd-nspawn; root): install, upgrade, restore, with steel on the line
	$(PY) -m tools.rollout $(ARGS)

bench: setup ## timings, each beside its reference in the same run
	$(PY) -m bench $(ARGS)

campaign: setup peers system ## the long runs: histories by seed, days DAYS=1..10, slow tests; SEEDS=a..b: these histories alone
	$(PY) -m campaign --jobs $(shell nproc) $(if $(SEEDS),--seeds $(SEEDS))
	$(if $(SEEDS),,$(PY) -m demo.campaign --seeds $(DAYS) $(ARGS))
	$(if $(SEEDS),,$(PY) -m pytest -m slow)

mutate: setup ## mutation score of journal, sync and shared projections
	$(PY) -m tools.mutate $(ARGS)

clean: ## remove everything that was made
	rm -rf $(VENV) .venv-rollout node_modules shared/web/static/vendor demo-run build dist mutants .mypy_cache .ruff_cache *.egg-info

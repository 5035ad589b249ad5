# Thin: each target is a command that a person could type. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= python3
DEVENV := .venv/bin/devenv
# `make install EXTRAS=` installs what runs devenv, and nothing that only its tests need.
EXTRAS ?= [dev]

.PHONY: help install up down test test-argocd test-chart test-faults test-kind test-rehearsal test-supply \
	test-terraform test-workflows bench dist docs lock lint

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

install: .venv/.installed ## Make the virtual environment and install devenv into it

up: install ## Install what is missing, run the platform, and print where it listens
	$(DEVENV) doctor --fix
	$(DEVENV) up

down: install ## Stop the platform; data stays
	$(DEVENV) down

test: install ## Run every suite: lint, unit, contract, integration, e2e
	$(DEVENV) doctor --fix
	$(DEVENV) test

test-faults: install ## Run the whole fault matrix: twenty rounds of each fault, at random moments
	$(DEVENV) doctor --fix
	DEVENV_FAULT_ROUNDS=20 .venv/bin/python -m pytest tests/integration/test_faults.py tests/e2e/promotion

test-kind: install ## Run the whole end-to-end suite on kind clusters of its own, slow parts included
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/e2e/kind

test-terraform: install ## Run the whole Terraform suite, tflint included
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/terraform -n 2

test-workflows: install ## Run test.yml's and build.yml's steps in clean clones, as GitHub would
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/workflows

test-argocd: install ## Run Argo CD on a kind cluster of its own: commit, sync, revert
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest -s tests/e2e/argocd

test-chart: install ## Install, upgrade and uninstall the Helm chart on a kind cluster of its own
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/e2e/chart

test-rehearsal: install ## Rehearse a promotion of the whole platform: kind, a mocked AWS, nothing left
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/e2e/rehearsal

test-supply: install ## Sign, verify, scan and promote for real, on a kind cluster; builds cosign and osv-scanner
	$(DEVENV) doctor --fix
	.venv/bin/python -m pytest tests/supply

bench: install ## Measure devenv against its rivals, and write docs/performance.md
	.venv/bin/python -m bench.run

dist: install ## Build the wheel and the source distribution
	.venv/bin/python -m build --outdir dist

docs: install ## Write the generated pages
	.venv/bin/python docs/generate.py

lock: install ## Lock the services' packages again, by hash
	.venv/bin/pip install --quiet --disable-pip-version-check uv
	for name in $$(cd services && ls -d */ | grep -v __pycache__ | tr -d /); do .venv/bin/uv pip compile --quiet --universal --generate-hashes \
		--python-version 3.13 --no-emit-index-url libs/servicekit/pyproject.toml \
		services/$$name/pyproject.toml -o services/$$name/requirements.lock; done

lint: install ## Check style and types
	.venv/bin/ruff check .
	.venv/bin/mypy devenv

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "devenv needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "will install the Debian package python3-venv"; \
			apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv >/dev/null; \
		else echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; fi; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -e '.$(EXTRAS)'
	@touch $@

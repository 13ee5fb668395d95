# Targets that need .venv create it and install what they need. No manual installation is required.
PYTHON ?= python3
BIN := .venv/bin/python
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
export RECORDINGS HISTORY ROWS BLOCK

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: help hooks install demo pictures test test-faults test-real coverage bench sandbox sql check generate lock deploy clean

demo: .venv/sandbox  ## run the flows on a month of sample data and write a report; needs no account
	@$(BIN) -m sandbox.demo

install: .venv/dev  ## create .venv with all dependencies; the other targets do it, too

test: .venv/dev  ## run the tests, without the long fault suites
	@$(BIN) -m pytest -n 2 --dist worksteal -m "not faults"

test-faults: .venv/dev  ## run all tests, the long fault suites included
	@$(BIN) -m pytest -n 2 --dist worksteal

coverage: .venv/dev  ## run the tests and print the lines that they do not execute; slower
	@$(BIN) -m pytest -n 2 --dist worksteal -m "not faults" --cov --cov-report=term-missing

test-real: .venv/dev  ## run the contract tests on your accounts, set in the environment (docs/operations.md)
	@ACCOUNTS=real $(BIN) -m pytest -vv -rs --tb=short --show-capture=log tests/real

bench: .venv/dev  ## run the performance benchmarks
	@$(BIN) -m tests.bench

sandbox: .venv/sandbox  ## start stand-ins, Prefect and a worker, with a month of sample history, until Ctrl-C; HISTORY=0: none
	@$(BIN) -m sandbox

sql: override export Q := $(value Q)
sql: .venv/sandbox  ## open a SQL prompt on the warehouse of the current environment; Q="SELECT …" runs one statement
	@$(BIN) -m tools.sql

deploy: .venv/dev  ## build and push the image, deploy prefect.yaml; CHECK=--check only checks
	@$(BIN) -m deploy $(or $(CHECK),release)

check: .venv/dev  ## check formatting, lint, types, SQL, generated files, requirements, workflows and imports
	$(BIN) -m ruff format --check .
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	$(BIN) -m sqlfluff lint --disable-progress-bar sql
	$(BIN) -m tools.generate --check
	$(BIN) -m tools.lock --check
	$(BIN) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN) -m check_jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/bin/zizmor --offline --quiet --no-progress .github/workflows
	.venv/bin/cfn-lint deploy/aws.yaml
	$(BIN) -c "from importlinter.cli import lint_imports_command as lint; lint()"

generate: .venv/dev  ## write DDL, views and docs/tables.md from pipeline/columns.py
	$(BIN) -m tools.generate

lock: .venv/dev  ## compile the hashed requirements from pyproject.toml
	$(BIN) -m tools.lock

pictures: .venv/dev demo  ## take the README's screenshots of the demo's report; needs Chromium
	@$(BIN) -m tools.pictures .sandbox/report.html docs

hooks:  ## install a pre-push hook that runs make check
	@install -m 755 tools/pre-push "$$(git rev-parse --git-path hooks)/pre-push"

clean:  ## delete the virtual environment and the sandbox's files
	rm -rf .venv .sandbox

.venv/sandbox .venv/dev: .venv/%: requirements-%.txt $(wildcard requirements*.txt)
	@test -x $(BIN) || $(PYTHON) -m venv .venv
	@echo "installing $< (a minute or two, the first time)"
	@$(BIN) $(INSTALL) -r $<
	@$(BIN) -m sandbox.prefect_database
	@touch $@

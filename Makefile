# Nothing needs to be installed by hand: every target makes its own virtual environment first.
PYTHON ?= python3
BIN := .venv/bin/python
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
export RECORDINGS HISTORY ROWS BLOCK

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: help hooks demo pictures test test-faults test-real coverage bench sandbox sql check generate lock deploy clean

demo: .venv/sandbox  ## a month of charts into a warehouse, without any account
	@$(BIN) -m sandbox.demo

test: .venv/dev  ## the test suite
	@$(BIN) -m pytest -n 2 --dist worksteal -m "not faults"

test-faults: .venv/dev  ## the long fault suites
	@$(BIN) -m pytest -n 2 --dist worksteal

coverage: .venv/dev  ## the test suite, then the lines of each module that it does not run; slower
	@$(BIN) -m pytest -n 2 --dist worksteal -m "not faults" --cov --cov-report=term-missing

test-real: .venv/dev  ## contract tests on the accounts that the environment names (docs/operations.md)
	@ACCOUNTS=real $(BIN) -m pytest -vv -rs --tb=short --show-capture=log tests/real

bench: .venv/dev  ## the benchmarks, as a table of ratios
	@$(BIN) -m tests.bench

sandbox: .venv/sandbox  ## stand-ins, Prefect and a month of history to explore, until Ctrl-C; HISTORY=0 starts empty
	@$(BIN) -m sandbox

sql: override export Q := $(value Q)
sql: .venv/sandbox  ## a SQL prompt on the warehouse of the environment at hand; Q="SELECT …" for one statement
	@$(BIN) -m tools.sql

deploy: .venv/dev  ## builds and pushes the image, deploys prefect.yaml; CHECK=--check only checks
	@$(BIN) -m deploy $(or $(CHECK),release)

check: .venv/dev  ## formatting, lint, types, SQL lint, schema drift, import contracts
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

generate: .venv/dev  ## DDL, views and docs/tables.md from the one list of tables
	$(BIN) -m tools.generate

lock: .venv/dev  ## the hashed requirements from pyproject.toml
	$(BIN) -m tools.lock

pictures: .venv/dev demo  ## the README's pictures, from the demo's report; needs Chromium
	@$(BIN) -m tools.pictures .sandbox/report.html docs

hooks:  ## a pre-push hook that runs make check
	@install -m 755 tools/pre-push "$$(git rev-parse --git-path hooks)/pre-push"

clean:  ## forget the virtual environment and the sandbox's files
	rm -rf .venv .sandbox

.venv/sandbox .venv/dev: .venv/%: requirements-%.txt $(wildcard requirements*.txt)
	@test -x $(BIN) || $(PYTHON) -m venv .venv
	@echo "installing $< (a minute or two, the first time)"
	@$(BIN) $(INSTALL) -r $<
	@$(BIN) -m sandbox.prefect_database
	@touch $@

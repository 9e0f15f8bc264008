# Every command of the project. `make demo` and `make test` need Python 3.11+, git and make only.
PYTHON ?= python3
PIP = $(VENV)/bin/pip --disable-pip-version-check -q
VENV = .venv

.PHONY: help demo test check test-vllm bench bench-sandbox train-arithmetic clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

$(VENV)/.base: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c requirements.lock -e .
	touch $@

# torch first and by its exact version: any later resolver step would fetch the CUDA build.
$(VENV)/.dev: pyproject.toml requirements.lock $(VENV)/.base
	$(PIP) install torch==2.13.0
	$(PIP) install -c requirements.lock -e '.[dev]'
	touch $@

demo: $(VENV)/.base  ## judge the shipped examples with the shipped model, off-line
	$(VENV)/bin/genprm verify examples/solutions.jsonl

test: $(VENV)/.dev check  ## everything CI runs: lint, types, architecture, tests
	$(VENV)/bin/pytest

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check src tests benchmarks examples
	$(VENV)/bin/ruff check src tests benchmarks examples
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

clean:  ## remove what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache

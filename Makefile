# Two commands: `make sweep` runs the main job, `make test` the tests. Each sets
# up .venv by itself, once, and again only when requirements or packaging change.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKDIR ?= runs/optimization_failure
# Tests run in this many processes, each file in one of them.
JOBS ?= 2

# The first interpreter that is new enough; PYTHON=... overrides.
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)

# The versions tested with the interpreter of the environment; read in recipes.
LOCK = $$($(BIN)/python -c "import sys; print('requirements' + '-py312' * (sys.version_info >= (3, 12)) + '.txt')")
MINOR := import sys; print('%d.%d' % sys.version_info[:2])

.PHONY: help setup sweep test test-matrix lint format types verify bench clean

help:
	@echo 'make sweep   train, label and count: the main job (WORKDIR=$(WORKDIR))'
	@echo 'make test    run the tests'
	@echo 'make test-matrix   the tests on other processors, Pythons, devices'
	@echo 'make lint    ruff: rules and format; `make format` repairs'
	@echo 'make types   mypy'
	@echo 'make verify  compare every linked number with its file in results'
	@echo 'make bench   benchmarks against peers (installs PyTorch)'
	@echo 'make setup   only set up $(VENV)'

$(READY): requirements.txt requirements-py312.txt setup.cfg pyproject.toml
	@test -n '$(PYTHON)' || { echo 'toyjax needs Python >= 3.11; name one with PYTHON=...' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo 'could not make $(VENV): is the venv module of $(PYTHON) installed?' >&2; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet -r $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

setup: $(READY)

sweep: $(READY)
	$(BIN)/python -m scripts.optimization_failure --workdir=$(WORKDIR) $(FLAGS)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile $(ARGS)

# Prints an interpreter of a version, by its name or from pyenv; none is no error.
python-%:
	@for p in python$* "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$*.*/bin/python; do \
	  "$$p" -c "import ssl, venv; $(MINOR)" 2>/dev/null | grep -qx '$*' \
	  && echo "$$p" && break; \
	done; true

# An environment for each interpreter there is beside that of $(VENV). One that
# cannot be made is left out, and make says so.
test-matrix: $(READY)
	@for v in 3.11 3.12 3.13; do \
	  test $$v = $$($(BIN)/python -c "$(MINOR)") && continue; \
	  p=$$($(MAKE) -s python-$$v); \
	  test -n "$$p" || { echo "left out: no Python $$v"; continue; }; \
	  $(MAKE) --no-print-directory setup VENV=.venv-py$$v PYTHON="$$p" \
	  || echo "left out: no packages for Python $$v"; \
	done
	$(BIN)/python -m benchmarks.test_matrix $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY)
	$(BIN)/mypy

# Every linked number of the documents, and the digest of every file in results.
verify: $(READY)
	$(BIN)/python -m benchmarks.verify

$(VENV)/.bench: $(READY)
	$(BIN)/python -m pip install --quiet -r $(LOCK) -e '.[bench]'
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.torch_agreement
	$(BIN)/python -m benchmarks.text_torch_agreement
	$(BIN)/python -m benchmarks.sqrt_torch_agreement

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

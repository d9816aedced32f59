# Everything a person needs: `make demo`, `make test`.  Each does its own set-up on a fresh machine.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench faults soak fuzz clean help

help:
	@echo "make demo    the whole chain on this machine: simulate, train, stream, classify, publish, watch"
	@echo "make test    all tests"
	@echo "make check   lint and type-check"
	@echo "make bench   measure, against a plain loop and the bare hops"
	@echo "make faults  what goes wrong at the bedside, side by side with what other clients make of it"
	@echo "make soak    a day on four beds at 40 times real time, with faults at random"
	@echo "make fuzz    10,000 damaged inputs for every reader: only errors that say what to do, bounded memory;"
	@echo "             and 100,000 hostile ones for a running session"

# The lock pins every version; the install runs again when it or the project file changes.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "hemostream needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Use: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV) (once; torch is large, this takes a minute or more) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/hemostream demo --out demo-output --overwrite

# Two halves side by side, on two cores in half the time: the first mostly computes, the other mostly waits for
# streams. What the first half says is shown when both are done.
HALF := tests/offline tests/models tests/fuzz tests/pinned tests/test_docs.py tests/test_docs_run.py \
	tests/system/test_tapping_live.py tests/system/test_within_person.py
HALF_LOG := .pytest-half.log

test: $(READY)
	@$(BIN)/python -m pytest $(HALF) >$(HALF_LOG) 2>&1 & half=$$!; \
	$(BIN)/python -m pytest $(addprefix --ignore=,$(HALF)); rest=$$?; \
	wait $$half; computed=$$?; cat $(HALF_LOG); rm -f $(HALF_LOG); exit $$((rest || computed))

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.bench

# One reader after the other, each in processes that may die, then a running session: about three quarters of an hour.
fuzz: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.fuzz --inputs 10000
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.fuzz.live --inputs 100000

faults: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.bench.fault_rows
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.bench.faults

soak: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.soak

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Two commands do it all on a fresh machine: `make demo` (the main job) and `make test`.
PY := .venv/bin/python
export GUARDIA_HOME ?= $(CURDIR)/var
# The homes made here are thrown away by a plain rm; an installation keeps its checkpoints append-only (docs/settings.md).
export GUARDIA_CHECKPOINT_APPEND_ONLY ?= false
DEMO_HOME := $(CURDIR)/var/demo
BENCH_HOME := $(CURDIR)/var/bench
TESTS ?= tests

.PHONY: help setup setup-dev run demo check test test-slow bench messages lock clean

help:                     ## what there is
	@grep -E '^[a-z-]+: .*##' Makefile | sed -E 's/:[^#]*##/\t/'

setup: .venv/.ready       ## the virtual environment, from the hashed lock
setup-dev: .venv/.ready-dev

KOREAN := locale/ko/LC_MESSAGES/django.po

.venv/.ready: requirements.lock tools/setup.sh $(KOREAN)
	@bash tools/setup.sh requirements.lock
	@$(PY) tools/messages.py compile
	@touch $@

.venv/.ready-dev: requirements-dev.lock tools/setup.sh $(KOREAN)
	@bash tools/setup.sh requirements-dev.lock
	@$(PY) tools/messages.py compile
	@touch $@ .venv/.ready

run: .venv/.ready         ## the portal with sample data on http://127.0.0.1:8000, until Ctrl-C
	@exec $(PY) manage.py up --sample

demo: .venv/.ready        ## the main job in the terminal, checked at every step
	@$(PY) -m guardia.embedded stop $(DEMO_HOME)
	@rm -rf $(DEMO_HOME)
	@GUARDIA_HOME=$(DEMO_HOME) exec $(PY) manage.py demo

check: .venv/.ready-dev   ## style, types, floors, messages, migrations, deployment settings
	@bash tools/check.sh

# Three at a time on two cores: many of the tests wait for hosts.
test: .venv/.ready-dev    ## the tests
	@$(PY) -m pytest -n 3 --dist loadfile -m "not slow" $(TESTS)

test-slow: .venv/.ready-dev  ## the long suites
	@$(PY) -m pytest -m slow $(TESTS)

PART ?= all
bench: .venv/.ready-dev   ## the figures of docs/performance.md (PART=engine, governance, chain, trail, planning, upload or peers)
	@$(PY) -m guardia.embedded stop $(BENCH_HOME)
	@rm -rf $(BENCH_HOME)
	@GUARDIA_HOME=$(BENCH_HOME) exec $(PY) manage.py bench --part $(PART)

messages: .venv/.ready-dev  ## take new texts into locale/ko, compile
	@$(PY) tools/messages.py update
	@$(PY) tools/messages.py compile

lock:                     ## resolve the dependencies again
	@$(PY) -m pip install -q uv
	@for set in "requirements.lock" "requirements-dev.lock --extra dev"; do \
	  $(PY) -m uv pip compile -q --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 \
	    --extra demo --extra redis pyproject.toml -o $$set; done
	@echo 'django-auth-ldap~=5.4' | $(PY) -m uv pip compile -q --generate-hashes --no-emit-index-url --no-header --universal \
	    --python-version 3.11 -c requirements.lock - -o requirements-ldap.lock

clean:                    ## stop and remove everything that was made here
	@for home in $(DEMO_HOME) $(BENCH_HOME) $(CURDIR)/var/test $(GUARDIA_HOME); do [ ! -x $(PY) ] || $(PY) -m guardia.embedded stop $$home; done
	@chattr -f -a $(GUARDIA_HOME)/checkpoints 2>/dev/null || true
	@rm -rf .venv var

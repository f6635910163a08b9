# Paperpost for a fresh machine: python >= 3.11, pip and make are enough. `make help` lists the targets.
# Nothing is installed outside this folder: .venv holds the environment, .tools holds uv when the
# machine has none. Stamps inside .venv make every later run start at once and without network.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.8
BIN := .venv/bin
LEFT_OUT := slow or browser or postgres or faults
# What a run of everything adds to the quick one: these, and what draws more examples in it.
REST := $(LEFT_OUT) or deeper
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_PYTHON_DOWNLOADS := never
# Trust what the machine trusts: many institutions sit behind a certificate authority of their own.
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1
# Python keeps what it compiled, whatever the environment says: the tests start hundreds of commands.
unexport PYTHONDONTWRITEBYTECODE

# An environment whose interpreter is gone, or too old, is made anew.
$(shell [ ! -d .venv ] || .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  >/dev/null 2>&1 || rm -rf .venv/.core .venv/.dev .venv/bin/python)

# Prints the first interpreter that starts and is new enough. A pyenv shim may exist and not start.
define find_python
for p in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
  if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
    "$$p" -c 'import sys; print(sys.executable)'; exit 0; fi; \
done; \
echo "Paperpost needs Python 3.11 or newer, and no python3 on PATH is." >&2; \
echo "Here: $$( { python3 --version; } 2>/dev/null || echo no python3 at all). Install a newer one, or name it: make demo PYTHON=/path/to/python3.12" >&2; \
exit 1
endef

# Prints a uv that starts: the machine's, else our own in .tools (put there by pip), else nothing.
define find_uv
if uv --version >/dev/null 2>&1; then echo uv; \
elif .tools/bin/uv --version >/dev/null 2>&1; then echo .tools/bin/uv; \
else \
  for p in "$$py" python3 python; do \
    if "$$p" -m pip install -q --target .tools "uv==$(UV_VERSION)" >/dev/null 2>&1; then break; fi; \
  done; \
  if .tools/bin/uv --version >/dev/null 2>&1; then echo .tools/bin/uv; fi; \
fi
endef

# $(1) = lock file, $(2) = uv's verb. Hashes are checked either way; pip stands in when uv cannot.
define install
@py="$$($(find_python))" || exit 1; uv="$$($(find_uv))"; \
echo "Installing $(1) into .venv (once)"; \
log=.venv/install.log; : > $$log; \
[ -w "$${HOME:-/}" ] || export UV_CACHE_DIR=.tools/cache; \
if [ -n "$$uv" ] && "$$uv" pip $(2) -q --python .venv/bin/python --require-hashes $(1) >>$$log 2>&1; then :; \
elif "$$py" -m pip --python .venv/bin/python install -q --require-hashes -r $(lastword $(1)) >>$$log 2>&1; then :; \
elif python3 -m pip --python .venv/bin/python install -q --require-hashes -r $(lastword $(1)) >>$$log 2>&1; then :; \
elif "$$py" -m venv .venv >>$$log 2>&1 && .venv/bin/python -m pip install -q --require-hashes -r $(lastword $(1)) >>$$log 2>&1; then :; \
else \
  tail -n 15 $$log >&2; \
  echo "The packages of $(lastword $(1)) could not be installed; the lines above say why. The whole log: $$log" >&2; \
  exit 1; \
fi
endef

.PHONY: demo run test test-all rest check faults bench sweep floods timing oneclick looking markup profiles hostile parsers spam schemathesis gallery pictures screens golden messages lock wheel help clean

$(BIN)/python:
	@py="$$($(find_python))" || exit 1; \
	"$$py" -m venv --without-pip --clear .venv || { \
	  echo "$$py cannot make a virtual environment (.venv); is its module venv installed?" >&2; exit 1; }

.venv/.core: requirements.lock | $(BIN)/python
	$(call install,-r requirements.lock,install)
	@touch $@

.venv/.dev: requirements-dev.lock | $(BIN)/python
	$(call install,requirements-dev.lock,sync)
	@touch $@ .venv/.core

demo: .venv/.core ## the whole story on a bundled day, into a built-in mailbox
	@$(BIN)/python -m service demo $(ARGS)

run: .venv/.core ## everything in one process, http://127.0.0.1:8000
	@$(BIN)/python -m service run $(ARGS)

test: .venv/.dev ## the quick tests, at most 3 minutes
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not ($(LEFT_OUT))" $(ARGS)

test-all: .venv/.dev ## every test; PostgreSQL, a browser and Dovecot must be here
	@PAPERPOST_TEST_REQUIRE=postgres,browser,dovecot $(BIN)/python -m pytest -q -n 5 --dist loadgroup $(ARGS)

rest:
	@echo "$(REST)"

check: .venv/.dev ## format, lint, types, imports, dependencies, templates, security, then the quick tests
	@$(BIN)/python -m ruff format --check -q --output-format concise . || { echo "To mend it: .venv/bin/ruff format ." >&2; exit 1; }
	@$(BIN)/python -m ruff check -q --output-format concise .
	@$(BIN)/python -m mypy --no-error-summary
	@$(BIN)/lint-imports >.venv/imports.log 2>&1 || { cat .venv/imports.log >&2; exit 1; }
	@$(BIN)/python -m deptry service >.venv/deptry.log 2>&1 || { cat .venv/deptry.log >&2; exit 1; }
	@$(BIN)/python -m djlint templates --lint --quiet
	@$(BIN)/python -m bandit -q -c pyproject.toml -r service
	@echo "format, lint, types, imports, dependencies, templates, security: good"
	@$(MAKE) test

faults: .venv/.dev ## kills, drops, hangs, full disks, clocks that jump: sixteen storms over mails (ARGS="kills sqlite"); goes on where it ended
	@PYTHONPATH=.:tests $(BIN)/python -m support.storm $(ARGS)

bench: .venv/.dev ## the measured claims
	@for f in bench/[a-z]*.py; do [ -e "$$f" ] || continue; echo "== $$f"; PYTHONPATH=.:tests $(BIN)/python "$$f" || exit 1; done

sweep: .venv/.dev ## a million random questions against all that match; ARGS=clock: every zone for two years; goes on where it ended
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.sweep $(ARGS)

floods: .venv/.dev ## 10,000 sign-ups for one victim, 10,000 victims from one, a seminar room: who gets mail, and when
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.floods $(ARGS)

looking: .venv/.dev ## GET, HEAD and OPTIONS of every route, 50 times: no row of any table may change
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.looking $(ARGS)

timing: .venv/.dev ## can a stranger tell a reader's address by the answer or its time? A classifier tries
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.timing $(ARGS)

oneclick: .venv/.dev ## 500 one-click unsubscribes while a send runs: how long each takes
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.one_click $(ARGS)

parsers: .venv/.dev ## 5,000 mails of real readers: Python, mail-parser and npm's mailparser (in NODE_PATH) read the same
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.parsers $(ARGS)

spam: .venv/.dev ## what SpamAssassin (Debian's) says of 50 digests and every other mail
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.spam $(ARGS)

markup: .venv/.dev ## what the Nu HTML Checker says of every page for readers (ARGS=PATH/TO/vnu.jar)
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.markup $(ARGS)

profiles: .venv/.dev ## all real keyword lists on all captured papers: the oracle against index and search
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.real_profiles $(ARGS)

hostile: .venv/.dev ## a hundred thousand hostile queries: read within 50 ms or refused
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.hostile $(ARGS)

mutations: .venv/.dev ## 20,000 damaged mails and all hostile ones are read: none crashes, is slow or large; goes on where it ended
	@PYTHONPATH=.:tests $(BIN)/python -m bench.campaigns.mutations $(ARGS)

bounces: .venv/.dev ## how the captured bounces are read: the figures of docs/bounces.md anew
	@PYTHONPATH=.:tests $(BIN)/python -m support.bounce_matrix

gallery: .venv/.dev ## forty-one pictures of mails of real readers, into var/gallery; a browser must be here (ARGS=daily: some)
	@PYTHONPATH=.:tests $(BIN)/python -m support.gallery $(ARGS)

screens: .venv/.dev ## the pictures of docs/admin.md, every page of the desk; a browser must be here
	@PYTHONPATH=.:tests $(BIN)/python -m support.desk_pictures

pictures: .venv/.dev ## the pictures of README.md and docs/readers.md, from what runs; a browser must be here
	@$(BIN)/python tests/support/pictures.py

schemathesis: .venv/.dev ## random requests to every operation of the API: no 500, no answer that is not described (ARGS="MINUTES [SEED]")
	@PYTHONPATH=.:tests $(BIN)/python -m support.schema_run $(ARGS)

golden: .venv/.dev ## what every capture of a source gives, written down anew, and what changed
	@PYTHONPATH=.:tests $(BIN)/python -m support.goldens

messages: .venv/.dev ## the translations brought up to date, and what is missing named (ARGS=fr begins a language)
	@PYTHONPATH=.:tests $(BIN)/python -m support.translations $(ARGS)

lock: $(BIN)/python ## both lock files anew, from pyproject.toml (UPGRADE=--upgrade for newer releases)
	@py=$(BIN)/python; uv="$$($(find_uv))"; [ -n "$$uv" ] || { echo "uv is needed: pip install uv" >&2; exit 1; }; \
	export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	opts="-q --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(UPGRADE)"; \
	"$$uv" pip compile pyproject.toml $$opts -o requirements.lock && \
	"$$uv" pip compile pyproject.toml --group dev --extra postgres -c requirements.lock $$opts -o requirements-dev.lock

wheel: .venv/.dev ## dist/paperpost-*.whl, with templates and migrations inside
	@rm -rf dist && $(BIN)/python -m hatchling build -t wheel

clean: ## removes what make made, never your data
	@rm -rf .venv .tools dist

help: ## this list
	@echo "make demo first. Then:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

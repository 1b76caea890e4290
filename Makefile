# The commands that people type. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

JARVIS_CACHE ?= $(HOME)/.cache/jarvis
export JARVIS_CACHE

# The JDK: JAVA_HOME where it is one of 25 or later, else the first such one that is found.
export JAVA_HOME := $(shell service/bin/find-jdk)
MVN := mvn -B -ntp
SOURCES := $(shell find service/src/main -type f) pom.xml service/pom.xml

.PHONY: help run build test fuzz test-stack licences format generate stack stack-status stack-down e2e chaos bench clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk '!shown[$$1]++' | expand -t 16

run: build ## Start the service with embedded defaults on http://127.0.0.1:8000
	@model=$${JARVIS_LOCAL_MODEL:-}; \
	if [ -z "$$model" ] && [ -z "$${JARVIS_OLLAMA_URL:-}" ]; then model=$$(service/bin/fetch-model | tail -n 1) || exit 1; fi; \
	JARVIS_LOCAL_MODEL="$$model" exec "$$JAVA_HOME/bin/java" -XX:+ExitOnOutOfMemoryError -jar service/target/jarvis.jar

build: service/target/jarvis.jar ## Build the service without its tests

# The SBOM depends on the POMs alone.
service/target/jarvis.jar: $(SOURCES)
	@echo "building the service (the first build downloads libraries and takes a few minutes)"
	@$(MVN) -q package -DskipTests $(if $(filter %pom.xml,$?),,-Dcyclonedx.skip)

test: venv ## Run every test that needs no other server
	@service/bin/fetch-model
	@output=$$(mktemp); set -m; trap 'kill -- -$$stack 2>/dev/null; rm -f $$output' EXIT; \
	$(MAKE) -s test-stack >$$output 2>&1 & stack=$$!; set +m; \
	$(MVN) verify; java=$$?; wait $$stack; python=$$?; \
	echo "the stack's own tests:"; cat $$output; exit $$((java || python))

FUZZ_INPUTS ?= 20000
FUZZ_SEED ?= $(shell date +%s)

fuzz: ## Run the fuzz tests of the readers with more inputs and other seeds: FUZZ_INPUTS, FUZZ_SEED
	@echo "$(FUZZ_INPUTS) inputs for each test, from seed $(FUZZ_SEED)"
	@$(MVN) -q -pl service test -Dtest='*FuzzTest' -Dsurefire.failIfNoSpecifiedTests=false \
	  -Dfuzz.inputs=$(FUZZ_INPUTS) -Dfuzz.seed=$(FUZZ_SEED)

# The stack's part of `make test`; uses the servers' own programs if they are built.
test-stack: venv
	@$(JARVIS_CACHE)/venv/bin/python -m unittest discover -s stack/native

licences: build venv ## Check the licences of everything that is fetched against the allow-list
	@$(MVN) -q -f service/pom.xml -Plicences org.cyclonedx:cyclonedx-maven-plugin:makeBom -DincludeTestScope=true \
	  -DoutputFormat=json -DoutputName=build-sbom
	@$(JARVIS_CACHE)/venv/bin/python stack/native/licences/check.py

venv: stack/native/requirements.txt ## Make the Python environment of tests and stack
	@stack/native/venv

format: ## Format the Java sources
	@$(MVN) -q spotless:apply

generate: venv ## Write the files that are generated from the code: references, rules, dashboards
	@$(MVN) -q -pl service test -Dtest='*GoldenTest' -Dgolden.update -Dsurefire.failIfNoSpecifiedTests=false
	@$(JARVIS_CACHE)/venv/bin/python stack/prometheus/generate_rules.py
	@$(JARVIS_CACHE)/venv/bin/python grafana-provisioning/source/generate.py

clean: ## Remove what was built here
	$(MVN) -q clean

# The pipeline. Where Docker runs, the stack is compose's; otherwise the same servers run as processes of this user.
STACK := stack/native/stack
HAVE_DOCKER := $(shell docker info >/dev/null 2>&1 && echo yes)

ifeq ($(HAVE_DOCKER),yes)
COMPOSE := docker compose -p jarvis -f stack/compose.yaml --env-file stack/.env

stack: ## Start the whole pipeline: service, collector, Prometheus, log store, Jaeger, stores, Ollama
	$(COMPOSE) up --build --detach --wait

stack-status: ## Show each part's readiness, URL and log
	$(COMPOSE) ps

stack-down: ## Stop the pipeline
	$(COMPOSE) down
else
stack: build venv native-servers ## Start the whole pipeline: service, collector, Prometheus, log store, Jaeger, stores, Ollama
	@$(STACK) up

stack-status: ## Show each part's readiness, URL and log
	@$(STACK) status

stack-down: ## Stop the pipeline
	@$(STACK) down
endif

.PHONY: native-servers
native-servers:
	@stack/native/install-packages
	@stack/native/build

e2e: build venv native-servers ## Test the pipeline on a native stack of its own
	@stack/native/e2e

CHAOS_SEED ?= $(shell date +%s)
CHAOS_FAULT ?=

chaos: build ## Break what the ledger and the budgets depend on, in every combination: CHAOS_SEED, CHAOS_FAULT
	@stack/native/install-packages >/dev/null
	@$(MVN) -pl service test-compile failsafe:integration-test failsafe:verify -Dit.test=ChaosIT \
	  -Dchaos.all=true -Dchaos.seed=$(CHAOS_SEED) -Dchaos.fault='$(CHAOS_FAULT)'

bench: build ## Measure what the gateway costs, as ratios
	@stack/native/install-packages >/dev/null
	@bench/run

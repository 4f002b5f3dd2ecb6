# The commands of the project. Each is one script of scripts/ or Benchmarks/; `make` lists them.

.DEFAULT_GOAL := help
.PHONY: help run build test bench evidence evidence-quick fuzz docs format clean

SECONDS ?= 30
TARGET ?= all

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: build ## build, then hold the example budget under 60 seconds of load with a burst in it
	@.build/release/plimsoll up

build: ## build the release binary, .build/release/plimsoll
	@scripts/setup run
	@scripts/build

test: ## run everything that must hold before a change is merged
	@scripts/setup test
	@scripts/test

bench: ## measure side by side with nginx, and envoy and vllm-router where they are installed
	@scripts/setup bench
	@scripts/build
	@Benchmarks/awake Benchmarks/bench

evidence: ## make docs/evidence again, in at most two hours: every claim with its figures
	@scripts/setup run
	@scripts/build
	@Benchmarks/evidence

evidence-quick: ## check a small sample of the evidence, in at most three minutes
	@scripts/setup run
	@scripts/build
	@Benchmarks/evidence --quick

fuzz: ## fuzz the parsers: TARGET=all SECONDS=30
	@scripts/setup run
	@scripts/fuzz $(TARGET) $(SECONDS)

docs: ## build the reference of the rooms with DocC
	@scripts/setup run
	@scripts/docs

format: ## format every Swift file
	@scripts/format

clean: ## remove everything that was built
	@rm -rf .build Benchmarks/.work

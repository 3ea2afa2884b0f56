# Two commands do everything, set-up included: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup plugins build demo test lint unit suites fuzz coverage validate bench fmt

help: ## What can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)$$/  make \1\t\2/' | expand -t 18

setup: ## Look for what the build needs, and install what is missing
	@scripts/setup

build: setup
	@cargo build --locked --workspace --bins

plugins: build ## Build the first-party plugins and put them into the example site
	@scripts/plugins

demo: plugins ## Start the example site, send its messages, show what came out (KEEP=1 leaves it running)
	@scripts/demo

test: plugins lint unit suites coverage fuzz ## Everything that must stay true

lint: setup ## Format and clippy, warnings as errors
	@cargo fmt --all --check
	@cd plugins && cargo fmt --all --check
	@cd sdk/rust && cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cd plugins && cargo clippy --locked --all-targets -- -D warnings
	@cd sdk/rust && CARGO_TARGET_DIR=../../plugins/target cargo clippy --locked --all-targets -- -D warnings

unit: setup ## Unit and property tests
	@cargo test --locked --workspace --exclude hilum-tests
	@cd plugins && cargo test --locked
	@cd sdk/rust && CARGO_TARGET_DIR=../../plugins/target cargo test --locked

suites: plugins ## System tests over real sockets and files (HILUM_HOSTILE_SECONDS: how long the attack of one goes on)
	@scripts/foreign
	@cargo test --locked -p hilum-tests

fuzz: setup ## The fuzz corpora, and a short run of each target
	@tests/fuzz/run

coverage: plugins ## Rows of the v2-to-FHIR guide that the fixtures exercise and the maps satisfy
	@scripts/coverage

validate: plugins ## What the maps make of every fixture, by the official FHIR validator (Java, Maven)
	@scripts/validate

bench: plugins ## Measurements, side by side with the limit, and the bars (release profile: builds everything again)
	@scripts/bench

fmt: ## Format everything
	@cargo fmt --all
	@cd plugins && cargo fmt --all
	@cd sdk/rust && cargo fmt --all

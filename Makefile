# The one door for people and CI: `make help` lists what it opens. What a target does beyond a line or two stands in
# tests/ as a script of its own.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The platform that the images are for, as container tools write it, and the Rust target that makes it.
PLATFORM ?= linux/amd64
TARGET_linux/amd64 := x86_64-unknown-linux-gnu
TARGET_linux/arm64 := aarch64-unknown-linux-gnu
TARGET := $(TARGET_$(PLATFORM))

BED := tests/bed/bed.sh
PROGRAMS := kube-vip kube-vip-cloud-provider
STATIC := RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target $(TARGET)
# What the tests need to find the programs under test and their own.
export KUBE_VIP_BIN_DIR := $(CURDIR)/target/release

.PHONY: help demo demo-control-plane test check lint soak bench images release tools fuzz manifests clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | column -t -s '#'

demo: ## a real cluster gives a Service an address, and keeps it when a cable is pulled
	@$(BED) need
	@$(MAKE) --no-print-directory images tools
	@$(BED) build
	@$(BED) run tests/on-bed.sh target/release/demo

demo-control-plane: ## three control planes behind one address, and a cable is pulled
	@$(BED) need
	@$(MAKE) --no-print-directory images tools
	@$(BED) build
	@BED_CONTROL_PLANES=3 $(BED) run tests/on-bed.sh target/release/demo-control-plane

test: ## everything: format, lints, unit, golden, simulation, kernel and cluster tests
	@tests/test.sh

check: ## a developer's loop: format, lints and unit tests of what changed
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo test --workspace --exclude tests --locked --quiet

lint: ## format, clippy, documentation, shell scripts, licences
	@tests/lint.sh

soak: ## the long counts: SEEDS, STOPS, FAULTS, KILLS and CUTS; goes on where it was stopped
	@$(BED) need
	@$(MAKE) --no-print-directory images tools
	@$(BED) build
	@$(BED) run tests/on-bed.sh target/release/soak

bench: ## how fast, how small: tables, and target/bench*.json
	@$(BED) need
	@$(MAKE) --no-print-directory images tools
	@$(BED) build
	@$(BED) run tests/on-bed.sh target/release/bench
	@BED_CONTROL_PLANES=3 $(BED) run tests/on-bed.sh target/release/bench

images: release ## both images, as target/images/*.tar
	@tests/images.sh

release: ## static binaries in target/release
	@echo "building static binaries for $(TARGET)"
	@$(STATIC) -p announcer -p cloud-provider
	@mkdir -p target/release
	@for program in $(PROGRAMS); do install -m 755 target/$(TARGET)/release/$$program target/release/; done

tools: ## the programs that play against the bed
	@$(STATIC) -p tests --bins
	@for tool in demo demo-control-plane bench soak probe; do install -m 755 target/$(TARGET)/release/$$tool target/release/; done

fuzz: ## fuzzes every decoder for SECONDS each (60); needs a nightly toolchain
	@tests/fuzz.sh $${SECONDS_EACH:-60}

manifests: ## writes what is kept in manifests/ anew from the program
	@tests/manifests.sh

clean: ## removes what was built here; the cache of the bed stays
	@cargo clean

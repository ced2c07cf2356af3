# The one door for people and CI. `make help` lists what it opens.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The platform that the images are for, as container tools write it, and the Rust target that makes it.
PLATFORM ?= linux/amd64
TARGET_linux/amd64 := x86_64-unknown-linux-gnu
TARGET_linux/arm64 := aarch64-unknown-linux-gnu
TARGET := $(TARGET_$(PLATFORM))

BED := tests/bed/bed.sh
PROGRAMS := target/release/kube-vip target/release/kube-vip-cloud-provider

.PHONY: help demo test check lint soak bench images fuzz release manifests clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

release: ## static binaries in target/release
	@echo "building static binaries for $(TARGET)"
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target $(TARGET) \
	  -p announcer -p cloud-provider
	@mkdir -p target/release
	@for program in $(notdir $(PROGRAMS)); do install -m 755 target/$(TARGET)/release/$$program target/release/$$program; done

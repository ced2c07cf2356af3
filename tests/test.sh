#!/usr/bin/env bash
# test.sh: everything that is tested, in the order in which a mistake is found fastest. Ends at the first stage that
# fails; closes with one line of what ran.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source-path=SCRIPTDIR source=bed/common.sh
. tests/bed/common.sh

export KUBE_VIP_BIN_DIR=$PWD/target/release
# A stated share of the long counts; `make soak` runs all of them.
export SIMULATION_SEEDS=${SIMULATION_SEEDS:-5000}
RESULTS=$(mktemp)

closing_line() {
  local status=$?
  awk '/^test result:/ { passed += $4; failed += $6 } END { printf "test: %d passed, %d failed\n", passed, failed }' "$RESULTS"
  rm -f "$RESULTS"
  ((status == 0)) || echo "make test: failed in stage: $STAGE" >&2
}
trap closing_line EXIT
STAGE=start

stage() {
  STAGE=$1
  shift
  say "== $STAGE"
  "$@" 2>&1 | tee -a "$RESULTS"
}

stage "tools of this machine" tests/bed/bed.sh need
stage "lints" tests/lint.sh
stage "unit, golden and property tests" cargo test --workspace --exclude tests --locked
stage "static binaries" make --no-print-directory release
stage "house rules, golden plans, start and simulation" \
  cargo test -p tests --locked --lib --test rooms --test golden --test start --test simulation
stage "kernel" cargo test -p tests --locked --test kernel
stage "images" make --no-print-directory images
stage "the bed's binaries" tests/bed/bed.sh build
stage "API server" cargo test -p tests --locked --test apiserver
stage "segment" cargo test -p tests --locked --test scenes -- --test-threads=1
stage "cluster" tests/bed/bed.sh run tests/on-bed.sh \
  cargo test -p tests --locked --test cluster --test privilege -- --test-threads=1
stage "the bed leaves nothing behind" tests/bed/leaves-nothing.sh

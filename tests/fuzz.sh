#!/usr/bin/env bash
# fuzz.sh SECONDS: runs every fuzz target for that long. Finds stay in tests/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/fuzz"
# shellcheck source-path=SCRIPTDIR source=bed/common.sh
. ../bed/common.sh
cargo +nightly --version >/dev/null || die "fuzzing needs a nightly toolchain: rustup toolchain install nightly"
if ! cargo fuzz --version >/dev/null 2>&1; then
  say "installing cargo-fuzz"
  cargo install --locked cargo-fuzz
fi
for target in $(cargo +nightly fuzz list); do
  say "fuzzing $target for $1 s"
  cargo +nightly fuzz run "$target" -- -max_total_time="$1" -rss_limit_mb=2048
done

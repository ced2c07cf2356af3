#!/usr/bin/env bash
# lint.sh: format, clippy, documentation, shell scripts, licences and sources of dependencies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source-path=SCRIPTDIR source=bed/common.sh
. tests/bed/common.sh

# Tools that are not part of a Rust toolchain are built once, outside the checkout, at the version that is named here.
DENY=0.20.2
TOOLS=${KUBE_VIP_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/kube-vip-tools}

cargo_deny() {
  local bin=$TOOLS/cargo-deny-$DENY/bin/cargo-deny
  if [[ ! -x $bin ]]; then
    say "building cargo-deny $DENY, once"
    cargo install --quiet --locked --version "$DENY" --root "$TOOLS/cargo-deny-$DENY" cargo-deny
  fi
  "$bin" --log-level error check licenses bans sources
}

say "format"
cargo fmt --all --check
say "clippy"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
say "shell scripts"
shellcheck -x tests/*.sh tests/bed/*.sh manifests/*.sh tests/bed/config/systemctl .ci/run
say "licences, bans and sources of dependencies"
cargo_deny

# shellcheck shell=bash
# What has to be on the machine before the bed can be built and started (sourced by bed.sh).

# A program (or a file, where the path starts with a slash) and the Debian package that has it.
declare -A PACKAGE=(
  [ip]=iproute2 [nft]=nftables [iptables]=iptables [conntrack]=conntrack [runc]=runc [pgrep]=procps
  [nsenter]=util-linux [setpriv]=util-linux [flock]=util-linux [/usr/lib/cni/ptp]=containernetworking-plugins [buildah]=buildah
  [tcpdump]=tcpdump [arping]=iputils-arping [curl]=curl [keepalived]=keepalived [shellcheck]=shellcheck [valgrind]=valgrind
  [/etc/ssl/certs/ca-certificates.crt]=ca-certificates
)

missing_packages() {
  local thing
  for thing in "${!PACKAGE[@]}"; do
    if [[ $thing == /* ]]; then
      [[ -e $thing ]] || echo "${PACKAGE[$thing]}"
    else
      type -P "$thing" >/dev/null || echo "${PACKAGE[$thing]}"
    fi
  done
  # the shell of the bed's test image; a dynamic busybox would find no libraries in it
  is_static "$(type -P busybox)" || echo busybox-static
}

# The compilers are the developer's choice (a package, rustup, a tarball): they are named, never installed.
missing_compilers() {
  local program version
  for program in cargo make; do
    type -P "$program" >/dev/null || echo "$program"
  done
  if ! type -P go >/dev/null; then
    echo "Go $GO_AT_LEAST or later"
    return
  fi
  version=$(GOTOOLCHAIN=local go env GOVERSION)
  if [[ $(printf '%s\n' "$GO_AT_LEAST" "${version#go}" | sort -V | head -n 1) != "$GO_AT_LEAST" ]]; then
    echo "Go $GO_AT_LEAST or later (this is $version)"
  fi
}

need() {
  local packages compilers all
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a user's PATH on Debian lacks them
  mapfile -t packages < <(missing_packages | sort -u)
  if ((${#packages[@]} > 0 && EUID == 0)) && type -P apt-get >/dev/null; then
    install_packages "${packages[@]}"
    mapfile -t packages < <(missing_packages | sort -u)
  fi
  mapfile -t compilers < <(missing_compilers)
  all=("${compilers[@]}" "${packages[@]/#/Debian package }")
  ((${#all[@]} == 0)) || die "missing on this machine: $(printf '%s, ' "${all[@]}" | sed 's/, $//')"
}

install_packages() {
  local log
  log=$(mktemp)
  say "installing with apt-get: $*"
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null || tail -n 20 "$log" >&2 # what is still missing then is named by the caller
  rm -f "$log"
}

# shellcheck shell=bash disable=SC2034 # the settings are read by the other parts
# Settings and small helpers shared by the parts of the test bed (sourced, never run).

export LC_ALL=C
umask 022

KUBERNETES=1.36.3
KUBERNETES_MODULES=0.${KUBERNETES#1.} # the k8s.io/* libraries carry the same number one level down
ETCD=3.6.8
CONTAINERD=2.4.2
PAUSE=3.10.2     # only a name: kubeadm of this Kubernetes asks for a sandbox image so called
GO_AT_LEAST=1.26 # what the go.mod of this Kubernetes asks for

BED_CACHE=${KUBE_VIP_BED_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kube-vip-bed}
BED_STATE=${KUBE_VIP_BED_STATE:-/var/tmp/kube-vip-bed}
BED_VERSIONS=$BED_CACHE/kubernetes-$KUBERNETES-etcd-$ETCD-containerd-$CONTAINERD
BED_BIN=$BED_VERSIONS/bin
BED_IMG=$BED_VERSIONS/img

# One control plane and two workers, or three control planes behind a VIP and a node that nobody has joined yet.
CONTROL_PLANES=${BED_CONTROL_PLANES:-1}
[[ ! -e $BED_STATE/up ]] || CONTROL_PLANES=$(<"$BED_STATE/control-planes") # a standing bed is what it is

# Every network namespace, and the one cgroup, that the bed makes starts with this: nothing else is ever touched.
PREFIX=kvb

# say TEXT: a line of progress with the seconds since the start; on stderr, so that stdout stays the command's.
say() { printf '%4ds  %s\n' "$SECONDS" "$*" >&2; }

die() {
  printf 'bed: %s\n' "$*" >&2
  exit 1
}

# one_at_a_time NAME: waits until no other bed.sh is inside the same section. The lock is fd 9, which everything that is
# started to run beside the script has to close: it would hold the lock too.
HELD=''

one_at_a_time() {
  [[ $HELD != "$1" ]] || return 0
  mkdir -p "$BED_CACHE"
  exec 9>"$BED_CACHE/$1.lock"
  if ! flock --nonblock 9; then
    say "another bed.sh is at \"$1\"; waiting for it"
    flock 9
  fi
  HELD=$1
}

next_one() {
  exec 9>&-
  HELD=''
}

# until_true SECONDS WHAT COMMAND...: polls a condition that nothing reports by itself.
until_true() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < limit)) || die "waited in vain for $what"
    sleep 0.1
  done
}

# in_background COMMAND...: runs it as a job and waits. Bash acts on a signal during `wait`, but not while a command
# runs in the foreground; so the long steps can be interrupted at once.
in_background() {
  "$@" 9>&- &
  wait $!
}

# elf_number FILE OFFSET BYTES: a little-endian number in a binary's header.
elf_number() { od -An -t"u$3" -j"$2" -N"$3" "$1" | tr -d ' '; }

# is_static FILE: whether a 64-bit ELF binary asks for no dynamic loader (PT_INTERP, 3, among its program headers).
# ldd will not do: it calls every binary of another architecture static.
is_static() {
  local table size count i
  [[ $(head -c 5 "$1" 2>/dev/null | od -An -tx1) == ' 7f 45 4c 46 02' ]] || return 1
  table=$(elf_number "$1" 32 8) size=$(elf_number "$1" 54 2) count=$(elf_number "$1" 56 2)
  for ((i = 0; i < count; i++)); do
    [[ $(elf_number "$1" $((table + i * size)) 4) != 3 ]] || return 1
  done
}

#!/usr/bin/env bash
# leaves-nothing.sh: starts the bed and removes it, in peace and interrupted, and compares the machine before and after:
# namespaces, mounts, processes, cgroups, sysctls, network, files. Prints what differs; fails if anything does.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
BED=$HERE/bed.sh
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# sysctls that count something, and change by themselves
COUNTERS='random|conntrack_count|ns_last_pid|pty\.nr|(dentry|inode)-state|(file|inode|aio)-nr|fs\.quota|cdrom'

# Each line names what it is about, so that a difference reads by itself.
look() {
  ip netns list | sed 's/ (id.*//; s/^/network namespace /'
  awk '{print "mount", $5, $4, $(NF-2), $(NF-1)}' /proc/self/mountinfo
  look_at_processes
  find /sys/fs/cgroup -type d \( -path '*/kvb*' -o -name 'kube*' -o -name 'containerd*' \) -printf 'cgroup %p\n'
  sysctl -a 2>/dev/null | grep -vE "$COUNTERS" | sed 's/^/sysctl /'
  ip -oneline link | sed 's/^[0-9]*: /link /; s/ .*mtu/ mtu/'
  ip route show table all | sed 's/^/route /; s/ expires [^ ]*//'
  ip -6 route show table all | sed 's/^/route /; s/ expires [^ ]*//'
  nft list ruleset | sed 's/^/nft /'
  find /etc /opt /run /var/lib /var/log /var/tmp -xdev -maxdepth 2 -printf 'file %p\n' 2>/dev/null
}

# Namespaces that some process lives in, and processes that run one of the bed's programs.
look_at_processes() {
  local process kind
  for process in /proc/[0-9]*; do
    readlink "$process/exe" >/dev/null || continue # a kernel's thread, or dead
    for kind in net mnt pid uts ipc cgroup; do
      readlink "$process/ns/$kind" | sed 's/^/namespace of a process /'
    done
    # an executable in a cache of the bed, or one that is gone with its root
    readlink "$process/exe" | grep -E 'kube-vip-bed|/(kubelet|containerd|ctr|kube-[a-z-]*|etcd|pause|runc)( |$)' |
      sed 's/^/process /'
  done 2>/dev/null || true
}

# compare WHAT: the machine now against the one before.
compare() {
  look | sort -u >"$WORK/after"
  if ! diff "$WORK/before" "$WORK/after" >"$WORK/difference"; then
    grep '^[<>]' "$WORK/difference"
    echo "leaves-nothing: differs after $1 (< before, > after)" >&2
    exit 1
  fi
  echo "leaves-nothing: nothing is left after $1"
}

[[ $EUID == 0 ]] || { echo 'leaves-nothing: needs root' >&2; exit 1; }
if "$BED" status >/dev/null; then
  echo 'leaves-nothing: a bed stands; remove it first' >&2
  exit 1
fi
"$BED" build
"$BED" down
look | sort -u >"$WORK/before"

"$BED" up
"$BED" exec admin kubectl create deployment web --image=docker.io/library/busybox:bed --replicas=3 -- sleep 1d
"$BED" exec admin kubectl rollout status deployment/web --timeout=60s
"$BED" exec client sleep 1d &
disown # its end is not worth a message
"$BED" down
compare 'up and down'

for seconds in 2 8 14; do
  env --default-signal=INT "$BED" run true &
  sleep "$seconds"
  kill -INT $!
  status=0
  wait $! || status=$?
  ((status == 130)) || { echo "leaves-nothing: run ended with $status instead of 130" >&2; exit 1; }
  compare "an interruption after $seconds s"
done

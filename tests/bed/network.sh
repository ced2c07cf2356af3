# shellcheck shell=bash disable=SC2034 # some settings are read by the other parts
# The Ethernet segment and the hosts on it, all in network namespaces (sourced by bed.sh).
#
# 198.18.0.0/24 lies in the range that RFC 2544 keeps for tests; fd98:18::/64 carries the same last number. The bridge
# has a namespace for itself, kvb-lan: its port of a host, p-HOST, is where a cable is pulled or frames are dropped.

NODES=(n1 n2 n3)
MEMBERS=(n1 n2 n3) # the nodes that `up` makes a cluster of
declare -A HOSTS=([n1]=11 [n2]=12 [n3]=13 [client]=250 [judge]=251 [admin]=240 [router]=1)
if [[ $CONTROL_PLANES == 3 ]]; then
  NODES+=(n4)
  HOSTS[n4]=14
fi
VIP4=198.18.0.10 VIP6=fd98:18::10 # the control plane's addresses, where there are three control planes

is_node() { [[ " ${NODES[*]} " == *" $1 "* ]]; }
ipv4() { echo "198.18.0.${HOSTS[$1]}"; }
ipv6() { echo "fd98:18::${HOSTS[$1]}"; }
endpoint() { if [[ $CONTROL_PLANES == 3 ]]; then echo "$VIP4"; else ipv4 n1; fi; }
namespace() { echo "/run/netns/$PREFIX-$1"; }

make_segment() {
  local name
  add_namespace lan
  ip -n "$PREFIX-lan" link add br0 type bridge
  ip -n "$PREFIX-lan" link set br0 up
  for name in "${!HOSTS[@]}"; do
    add_host "$name"
  done
  in_namespace router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  for name in "${NODES[@]}"; do
    add_node_routes "$name"
  done
}

# The record comes first: whatever interrupts this, the next bed knows that the namespace is its own.
add_namespace() {
  if [[ ! -e /run/netns ]]; then touch "$BED_STATE/made-run-netns"; fi
  echo "$1" >>"$BED_STATE/namespaces"
  ip netns add "$PREFIX-$1"
  ip -n "$PREFIX-$1" link set lo up
}

add_host() {
  local name=$1 ns=$PREFIX-$1
  add_namespace "$name"
  ip -n "$PREFIX-lan" link add "p-$name" type veth peer name eth0 netns "$ns"
  ip -n "$PREFIX-lan" link set "p-$name" master br0 up
  ip -n "$ns" addr add "$(ipv4 "$name")/24" dev eth0
  ip -n "$ns" addr add "$(ipv6 "$name")/64" dev eth0 nodad
  ip -n "$ns" link set eth0 up
}

# A node reaches the pods of the others through these others, and the rest of the world through the router.
add_node_routes() {
  local ns=$PREFIX-$1 other
  # a fresh namespace inherits these from the machine; here a kernel's defaults count
  in_namespace "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
  # the pods' links need no second of waiting for a duplicate of their addresses; eth0 keeps its own setting
  in_namespace "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
  ip -n "$ns" route add default via "$(ipv4 router)"
  ip -n "$ns" -6 route add default via "$(ipv6 router)"
  for other in "${NODES[@]}"; do
    [[ $other != "$1" ]] || continue
    ip -n "$ns" route add "10.244.${HOSTS[$other]}.0/24" via "$(ipv4 "$other")"
    ip -n "$ns" -6 route add "fd44:0:0:${HOSTS[$other]}::/64" via "$(ipv6 "$other")"
  done
}

in_namespace() {
  local name=$1
  shift
  nsenter --net="$(namespace "$name")" -- "$@"
}

# cable NAME up|down: seen from the host its network cable is plugged in or pulled out; all addresses stay on it.
cable() {
  [[ -n ${HOSTS[$1]:-} ]] || die "no such host: $1"
  ip -n "$PREFIX-lan" link set "p-$1" "$2"
}

foreign_namespaces() {
  local found
  for found in /run/netns/"$PREFIX"-*; do
    [[ -e $found ]] || continue
    grep -qxs "${found##*/"$PREFIX"-}" "$BED_STATE/namespaces" || echo "${found##*/}"
  done
}

remove_segment() {
  local name
  while read -r name; do
    [[ -e $(namespace "$name") ]] || continue
    # whatever a test left running on a plain host
    ip netns pids "$PREFIX-$name" | xargs -r kill -KILL 2>/dev/null || true
    ip netns del "$PREFIX-$name"
  done < <(cat "$BED_STATE/namespaces" 2>/dev/null)
  # the first `ip netns add` of a machine makes this mount; the last one here takes it away again
  if [[ -e $BED_STATE/made-run-netns ]] && rmdir_mount /run/netns; then rm "$BED_STATE/made-run-netns"; fi
}

rmdir_mount() {
  [[ -z $(ls -A "$1" 2>/dev/null) ]] || return 0
  umount "$1" 2>/dev/null || true
  rmdir "$1" 2>/dev/null || true
}

# The neighbour tables of all namespaces together share these limits of the first one, 1,024 entries by default: too few
# for tests with many addresses. They come back to what they were with `down`.
NEIGHBOURS=8192

raise_limits() {
  local family number file old
  for family in ipv4 ipv6; do
    for number in 3 2 1; do # each stays above the one below it
      file=/proc/sys/net/$family/neigh/default/gc_thresh$number
      [[ -e $file ]] || continue
      old=$(<"$file")
      ((old < NEIGHBOURS)) || continue
      echo "$file $old" >>"$BED_STATE/limits"
      echo "$NEIGHBOURS" >"$file"
    done
  done
}

restore_limits() {
  local file old
  while read -r file old; do
    echo "$old" >"$file"
  done < <(tac "$BED_STATE/limits" 2>/dev/null)
}

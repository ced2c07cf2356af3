# shellcheck shell=bash
# Nodes: their processes, and the cgroups by which these are known (sourced by bed.sh).

NODE_PATH=$BED_BIN:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# cgroup_roots: where the hierarchies lie; with version 1 there is one for each controller.
cgroup_roots() { awk '$(NF-2) ~ /^cgroup2?$/ && $5 ~ "^/sys/fs/cgroup" {print $5}' /proc/self/mountinfo | sort -u; }

# render FILE NODE: one of the bed's configuration files with its values in it.
render() {
  sed -e "s/@NODE@/$2/g; s/@INDEX@/${HOSTS[$2]}/g; s/@IPV4@/$(ipv4 "$2")/g; s/@IPV6@/$(ipv6 "$2")/g" \
    -e "s/@ENDPOINT@/$(endpoint)/g; s/@VIP4@/$VIP4/g; s/@VIP6@/$VIP6/g; s/@KUBERNETES@/$KUBERNETES/g; s/@PAUSE@/$PAUSE/g" \
    "$HERE/config/$1"
}

# may_control NODE: whether it is, or may become, a control plane.
may_control() { [[ $CONTROL_PLANES == 3 || $1 == n1 ]]; }

prepare_node() {
  local node=$1 folder=$BED_STATE/$1 other image images=(pause busybox)
  mkdir -p "$folder"/{img,etc/cni/net.d,etc/kubernetes/{audit,manifests},var/log/kubernetes}
  render containerd.toml "$node" >"$folder/containerd.toml"
  # routed pods (ptp), not bridged ones: a bridge hands answers from pod to pod past the rules of kube-proxy
  render cni.conflist "$node" >"$folder/etc/cni/net.d/10-bed.conflist"
  render kube-proxy.yaml "$node" >"$folder/kube-proxy.yaml"
  render join.yaml "$node" >"$folder/join.yaml"
  cp "$HERE/config/systemctl" "$folder/"
  if may_control "$node"; then
    render kubeadm.yaml "$node" >"$folder/kubeadm.yaml"
    render join-control-plane.yaml "$node" >"$folder/join-control-plane.yaml"
    cp "$HERE/config/audit-policy.yaml" "$folder/etc/kubernetes/audit/policy.yaml"
    images+=(etcd kube-apiserver kube-controller-manager kube-scheduler)
  fi
  for image in "${images[@]}"; do
    ln -s "$BED_IMG/$image.tar" "$folder/img/"
  done
  echo '127.0.0.1 localhost' >"$folder/hosts"
  for other in "${NODES[@]}"; do
    printf '%s %s\n' "$(ipv4 "$other")" "$other" "$(ipv6 "$other")" "$other" >>"$folder/hosts"
  done
}

# start_node NODE: its pid 1 is started inside the node's cgroup and network, with nothing of the caller's environment.
# (`ip netns exec` would not do: it mounts a fresh /sys, without cgroups.)
start_node() {
  local node=$1
  prepare_node "$node"
  make_cgroups "$node"
  (
    while read -r root; do echo 0 >"$root/$PREFIX/$node/cgroup.procs"; done < <(cgroup_roots)
    exec env -i PATH="$NODE_PATH" HOME=/root \
      BED_STATE="$BED_STATE" BED_BIN="$BED_BIN" BED_IMG="$BED_IMG" BED_PREFIX="$PREFIX" \
      setsid nsenter --net="$(namespace "$node")" \
      unshare --mount --uts --ipc --pid --cgroup --fork --kill-child --propagation private \
      bash "$HERE/node.sh" "$node"
  ) </dev/null >"$BED_STATE/$node/init.log" 2>&1 9>&- &
  echo $! >"$BED_STATE/$node/pid"
  disown # or bash reports its end
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then leave_inner_cgroup "$node"; fi
}

# With cgroups of version 2 a group that hands controllers down holds no process itself: the unshare above pid 1 moves
# aside, and node.sh does the same with pid 1.
leave_inner_cgroup() {
  local outer=/sys/fs/cgroup/$PREFIX/$1/outer
  until_true 10 "pid 1 of $1" init_of "$1" >/dev/null
  mkdir "$outer"
  cat "$BED_STATE/$1/pid" >"$outer/cgroup.procs"
}

make_cgroups() {
  local root path file
  echo "$1" >>"$BED_STATE/cgroups"
  while read -r root; do
    for path in "$root/$PREFIX" "$root/$PREFIX/$1"; do
      mkdir -p "$path"
      if [[ -e $path/cgroup.controllers ]]; then
        hand_down "$path/.."
      elif [[ -e $path/cpuset.cpus ]]; then # empty in version 1, and no process may enter, until they are set
        for file in cpuset.cpus cpuset.mems; do cat "$path/../$file" >"$path/$file"; done
      fi
    done
  done < <(cgroup_roots)
}

# hand_down CGROUP: gives the groups below it (version 2) all controllers that it has itself.
hand_down() {
  local controller
  for controller in $(<"$1/cgroup.controllers"); do
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null || true
  done
}

# init_of NODE: its pid 1 as seen from here. A recorded number counts only where the process is in the node's cgroup:
# after a restart of the machine it may be anything.
init_of() {
  local parent
  parent=$(cat "$BED_STATE/$1/pid" 2>/dev/null) || return 1
  grep -qs -E "/$PREFIX/$1(/outer)?\$" "/proc/$parent/cgroup" || return 1
  pgrep -P "$parent" | head -n 1 | grep .
}

# in_node NODE COMMAND...: in all namespaces of the node.
in_node() {
  local init
  init=$(init_of "$1") || die "node $1 does not run"
  shift
  nsenter --target "$init" --all -- env PATH="$NODE_PATH" "$@"
}

node_is_up() {
  [[ -e $BED_STATE/$1/ready ]] && return
  [[ -e /proc/$(<"$BED_STATE/$1/pid") ]] && return 1
  tail -n 20 "$BED_STATE/$1/init.log" >&2
  die "node $1 ended while it started"
}

# Each node's pid 1 takes its processes with it, and the unshare above it ends when it has reaped it. What is still in
# the cgroups after 5 s is ended one by one.
stop_nodes() {
  local node init left tries=0
  [[ -e $BED_STATE/cgroups ]] || return 0
  while read -r node; do
    init=$(init_of "$node") && kill -KILL "$init"
  done <"$BED_STATE/cgroups"
  while mapfile -t left < <(processes_in_cgroups) && ((${#left[@]} > 0 && tries++ < 100)); do
    ((tries < 50)) || kill -KILL "${left[@]}" 2>/dev/null || true
    sleep 0.1
  done
  ((${#left[@]} == 0)) || say "these processes do not end: ${left[*]}"
  remove_cgroups
}

processes_in_cgroups() {
  local root
  while read -r root; do
    find "$root/$PREFIX" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done < <(cgroup_roots) | sort -un
}

remove_cgroups() {
  local root
  while read -r root; do
    [[ ! -d $root/$PREFIX ]] || find "$root/$PREFIX" -depth -type d -exec rmdir {} \;
  done < <(cgroup_roots)
}

foreign_cgroups() {
  local root
  [[ ! -e $BED_STATE/cgroups ]] || return 0
  while read -r root; do
    [[ ! -d $root/$PREFIX ]] || echo "$root/$PREFIX"
  done < <(cgroup_roots)
}

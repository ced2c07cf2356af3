# shellcheck shell=bash
# The whole bed: up, down, and whether it stands (sourced by bed.sh).

up() {
  local node
  [[ $EUID == 0 ]] || die 'the bed makes network namespaces and mounts: it needs root'
  [[ $CONTROL_PLANES == [13] ]] || die "BED_CONTROL_PLANES is 1 or 3, not $CONTROL_PLANES"
  need
  build
  one_at_a_time bed
  if stands; then
    [[ $CONTROL_PLANES == "${BED_CONTROL_PLANES:-1}" ]] ||
      die "a bed stands whose number of control planes is $CONTROL_PLANES; \"$0 down\" removes it"
    is_healthy || die "a bed stands, but its cluster does not answer; \"$0 down\" removes it"
    say 'the bed is up already'
    next_one
    return 0
  fi
  refuse_foreign
  remove_all
  # shellcheck disable=SC2034 # read by bed.sh
  MADE=yes
  mkdir -p "$BED_STATE"
  echo "$CONTROL_PLANES" >"$BED_STATE/control-planes"
  raise_limits
  make_segment
  for node in "${NODES[@]}"; do start_node "$node"; done
  for node in "${NODES[@]}"; do until_true 60 "containerd on $node" node_is_up "$node"; done
  say 'nodes are up'
  if [[ $CONTROL_PLANES == 1 ]]; then
    init n1
    join_workers
  else
    start_control_planes
  fi
  wait_for_cluster
  touch "$BED_STATE/up"
  say 'the bed is up'
  next_one
}

# init NODE OPTION...: the first control plane of a cluster.
init() {
  local node=$1
  shift
  kubeadm_on "$node" init --config "$BED_STATE/$node/kubeadm.yaml" --skip-phases=addon,show-join-command "$@"
  cp "$BED_STATE/$node/etc/kubernetes/admin.conf" "$BED_STATE/kubeconfig"
  in_node "$node" kubeadm kubeconfig user --config "$BED_STATE/$node/kubeadm.yaml" --client-name system:kube-proxy \
    >"$BED_STATE/kube-proxy.conf" 2>>"$BED_STATE/$node/kubeadm.log"
  start_kube_proxy "$node"
  say "control plane is up on $node"
}

# join NODE CONFIGURATION: `join` for a worker, `join-control-plane` for one more control plane.
join() {
  kubeadm_on "$1" join --config "$BED_STATE/$1/$2.yaml"
  start_kube_proxy "$1"
}

# node.sh starts it as soon as it has credentials.
start_kube_proxy() { cp "$BED_STATE/kube-proxy.conf" "$BED_STATE/$1/etc/kubernetes/"; }

join_workers() {
  local node jobs=()
  for node in "${NODES[@]:1}"; do
    join "$node" join 9>&- &
    jobs+=($!)
  done
  for node in "${jobs[@]}"; do wait "$node"; done
  say 'workers have joined'
}

kubeadm_on() {
  local node=$1 log=$BED_STATE/$1/kubeadm.log
  shift
  in_node "$node" kubeadm "$@" --ignore-preflight-errors=all >"$log" 2>&1 </dev/null 9>&- &
  wait $! && return
  tail -n 30 "$log" >&2
  die "kubeadm $1 failed on $node; logs are in $BED_STATE/$node"
}

wait_for_cluster() {
  local node
  in_background admin kubectl wait --for=condition=Ready node "${MEMBERS[@]}" --timeout=60s >/dev/null
  in_background admin kubectl wait --for=create serviceaccount/default --timeout=60s >/dev/null
  say 'nodes are ready'
  for node in "${MEMBERS[@]}"; do
    until_true 60 "kube-proxy on $node" kube_proxy_is_synced "$node"
  done
}

# kube-proxy answers 200 once its rules stand. (Not with wget: a static busybox's may crash on the machine's resolver.)
kube_proxy_is_synced() {
  # shellcheck disable=SC2016 # for the inner shell
  in_namespace "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/10256 && printf "GET /healthz HTTP/1.0\r\n\r\n" >&3 &&
    grep -q "^HTTP/1.. 200" <&3' 2>/dev/null
}

# admin COMMAND...: what a person at a desk beside the cluster would run.
admin() { in_namespace admin env "${BED_ENV[@]}" "$@"; }

stands() { [[ -e $BED_STATE/up ]] && init_of n1 >/dev/null; }

is_healthy() {
  local node
  for node in "${NODES[@]}"; do
    init_of "$node" >/dev/null || return 1
  done
  admin kubectl wait --for=condition=Ready node "${MEMBERS[@]}" --timeout=5s >/dev/null 2>&1
}

# Something that carries the bed's names without being in its books belongs to another: hands off.
refuse_foreign() {
  local foreign
  foreign=$(foreign_namespaces; foreign_cgroups)
  [[ -z $foreign ]] ||
    die "made by somebody else, and not touched: ${foreign//$'\n'/ } (a bed with another state folder?)"
}

down() {
  if [[ ! -d $BED_STATE ]]; then
    say 'there is no bed'
    return 0
  fi
  [[ $EUID == 0 ]] || die 'only root can remove the bed'
  one_at_a_time bed
  remove_all
  next_one
  say 'the bed is gone'
}

# Nothing here minds what an interrupted start has not made yet.
remove_all() {
  [[ -d $BED_STATE ]] || return 0
  rm -f "$BED_STATE/up"
  stop_nodes
  remove_segment
  restore_limits
  rm -rf --one-file-system "$BED_STATE"
}

status() {
  if ! stands; then
    if [[ -d $BED_STATE ]]; then echo 'bed: not up (leftovers; "up" clears them)'; else echo 'bed: not up'; fi
    return 1
  fi
  echo "bed: up, state in $BED_STATE"
  admin kubectl get nodes --output wide
}

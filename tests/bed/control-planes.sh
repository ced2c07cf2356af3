# shellcheck shell=bash
# Three control planes behind a VIP, made as the documents tell users to do it (sourced by bed.sh).

VIP_IMAGE_TAR=$HERE/../../target/images/kube-vip.tar

start_control_planes() {
  local node
  [[ -r $VIP_IMAGE_TAR ]] || die "no image of kube-vip in $VIP_IMAGE_TAR: run \"make images\""
  load "$VIP_IMAGE_TAR"
  write_manifest n1
  init n1 --upload-certs
  for node in "${MEMBERS[@]:1}"; do
    write_manifest "$node"
    join_control_plane "$node"
  done
}

# write_manifest NODE [FLAG...]: kube-vip's static pod, printed by kube-vip itself on the node.
write_manifest() {
  local node=$1 image manifest
  shift
  (($# > 0)) || set -- --interface eth0 --address "$VIP4,$VIP6" --controlPlane --arp --leaderElection
  image=$(in_node "$node" ctr --namespace k8s.io images list --quiet name~=localhost/kube-vip: | head -n 1)
  manifest=$(static_pod "$node" kube-vip)
  in_node "$node" ctr --namespace k8s.io run --rm --net-host "$image" vip /kube-vip manifest pod "$@" >"$manifest.new"
  mv "$manifest.new" "$manifest"
}

join_control_plane() {
  join "$1" join-control-plane
  say "$1 is a control plane"
}

# The node's name stays in the cluster until somebody deletes it.
reset_node() {
  kubeadm_on "$1" reset --force
  rm -f "$BED_STATE/$1/etc/kubernetes/kube-proxy.conf"
  in_node "$1" pkill kube-proxy || true
  say "$1 is no control plane any more"
}

# members: what `etcdctl member list` shows; etcd's own gateway for JSON needs no etcdctl.
members() {
  local pki=/etc/kubernetes/pki/etcd node
  for node in "${NODES[@]}"; do
    [[ -e $(static_pod "$node" etcd) ]] || continue
    { in_node "$node" curl --silent --show-error --fail --max-time 5 --cacert $pki/ca.crt --cert $pki/server.crt \
      --key $pki/server.key --data '{}' https://127.0.0.1:2379/v3/cluster/member/list && echo; } |
      tr '{' '\n' | sed -n 's/.*"name":"\([^"]*\)".*"clientURLs":\["\([^"]*\)".*/\1 \2/p'
    return
  done
  die 'no node runs etcd'
}

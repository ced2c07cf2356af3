# shellcheck shell=bash
# Three control planes behind a VIP, made as the documents tell users to do it (sourced by bed.sh).

VIP_IMAGE_TAR=$HERE/../../target/images/kube-vip.tar

start_control_planes() {
  local node
  [[ -r $VIP_IMAGE_TAR ]] || die "no image of kube-vip in $VIP_IMAGE_TAR: run \"make images\""
  load "$VIP_IMAGE_TAR"
  write_manifest n1
  say "n1: kubeadm init --control-plane-endpoint $VIP4:6443 --upload-certs"
  init n1 --upload-certs
  for node in "${MEMBERS[@]:1}"; do
    write_manifest "$node"
    join_control_plane "$node"
  done
}

# write_manifest NODE [FLAG...]: kube-vip's static pod.
write_manifest() {
  local node=$1 new
  shift
  (($# > 0)) || set -- --interface eth0 --address "$VIP4,$VIP6" --controlplane --arp --leaderElection
  say "$node: kube-vip manifest pod $* > /etc/kubernetes/manifests/kube-vip.yaml"
  new=$(put_aside "$node" kube-vip)
  kube_vip "$node" manifest pod "$@" >"$new" || die "kube-vip printed no manifest on $node"
  mv "$new" "$(static_pod "$node" kube-vip)"
}

# kube_vip NODE ARGUMENT...: kube-vip run once from its image, as on a node where nothing else is installed.
kube_vip() {
  local node=$1 image
  shift
  image=$(in_node "$node" ctr --namespace k8s.io images list --quiet 2>/dev/null | grep /kube-vip: | head -n 1)
  # ctr warns of what containerd will not do any more some day
  in_node "$node" ctr --namespace k8s.io run --rm --net-host "$image" "vip-$$" /kube-vip "$@" 2> >(grep -v DEPRECATION >&2)
}

join_control_plane() {
  say "$1: kubeadm join $VIP4:6443 --control-plane --certificate-key ..."
  join "$1" join-control-plane
  say "$1 is a control plane"
}

join_worker() {
  join "$1" join
  say "$1 is a worker"
}

# The node's name stays in the cluster until somebody deletes it.
reset_node() {
  kubeadm_on "$1" reset --force
  rm -f "$BED_STATE/$1/etc/kubernetes/kube-proxy.conf"
  in_node "$1" pkill kube-proxy || true
  say "$1 is bare again"
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

# upgrade NODE: another image in the manifest of the static pod; the same one by another name.
upgrade() {
  local manifest image other
  manifest=$(static_pod "$1" kube-vip)
  image=$(sed -n 's/^ *image: "\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$manifest")
  case $image in
    *-again) other=${image%-again} ;;
    *) other=$image-again ;;
  esac
  in_node "$1" ctr --namespace k8s.io images tag --force "$image" "$other" >/dev/null
  sed "s#$image#$other#" "$manifest" >"$(put_aside "$1" kube-vip)"
  mv "$(put_aside "$1" kube-vip)" "$manifest"
}

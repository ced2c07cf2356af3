#!/usr/bin/env bash
# manifests.sh: writes what is kept in manifests/ as the program prints it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --quiet --locked -p announcer
kube_vip=${CARGO_TARGET_DIR:-target}/debug/kube-vip
{
  echo '# The announcer: makes the addresses of Services reachable. Printed by "kube-vip manifest rbac" and'
  echo '# "kube-vip manifest daemonset".'
  "$kube_vip" manifest rbac
  echo ---
  "$kube_vip" manifest daemonset
} >manifests/announcer.yaml

# Names that the program takes, and that nothing else in a manifest is called by.
flags=(--controlplane --address vip-address --interface vip-interface --inCluster --taint)
{
  cat <<'HEAD'
#!/bin/sh
# Prints kube-vip as a DaemonSet on control planes: it announces $vipAddress on $vipInterface.
#   vipAddress=192.168.0.75 vipInterface=eth0 sh manifests/k3s.sh >/var/lib/rancher/k3s/server/manifests/vip.yaml
set -eu
: "${vipAddress:?say which address, as vipAddress=192.168.0.75}"
: "${vipInterface:?say which interface it is announced on, as vipInterface=eth0}"
cat <<YAML
HEAD
  # The script that is printed expands them.
  # shellcheck disable=SC2016
  {
    "$kube_vip" manifest rbac "${flags[@]}"
    echo ---
    "$kube_vip" manifest daemonset "${flags[@]}"
  } | sed 's/"vip-address"/"$vipAddress"/; s/"vip-interface"/"$vipInterface"/'
  echo YAML
} >manifests/k3s.sh

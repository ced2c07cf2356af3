#!/usr/bin/env bash
# manifests.sh: writes manifests/announcer.yaml as the program prints it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --quiet --locked -p announcer
{
  echo '# The announcer: makes the addresses of Services reachable. Printed by "kube-vip manifest rbac" and'
  echo '# "kube-vip manifest daemonset".'
  target/debug/kube-vip manifest rbac
  echo ---
  target/debug/kube-vip manifest daemonset
} >manifests/announcer.yaml

#!/usr/bin/env bash
# on-bed.sh COMMAND...: gives both images to all nodes, then runs COMMAND. For `bed.sh run`.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$HERE/bed/bed.sh" load "$HERE"/../target/images/kube-vip.tar "$HERE"/../target/images/kube-vip-cloud-provider.tar
exec "$@"

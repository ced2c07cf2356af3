#!/usr/bin/env bash
# bed.sh: a real Kubernetes on one machine, for tests.
#
# A node is a set of namespaces with its own containerd, kubelet and kube-proxy; n1 is the control plane and takes pods
# too, n2 and n3 are workers. Beside them on the Ethernet segment stand the hosts client, judge, admin and router.
# With BED_CONTROL_PLANES=3, n1, n2 and n3 are control planes behind a VIP, each with a member of etcd and kube-vip as a
# static pod, and n4 is a node that nobody has joined yet.
#
#   need                      install (as root) or name what is missing on this machine
#   build                     compile Kubernetes, etcd and containerd into the cache, once: minutes
#   up                        start the bed: less than a minute
#   down                      remove all of it but the cache
#   run COMMAND...            up, COMMAND on the host admin, down; KEEP_BED=1 leaves the bed up, as does one up before
#   status                    whether it stands
#   env                       what a COMMAND finds in its environment, as shell assignments
#   exec HOST COMMAND...      run COMMAND inside a node (in all its namespaces) or on a host (in its network)
#   cut HOST | mend HOST      pull out, and plug in again, its network cable
#   load TAR...               give images (docker-archive) to all nodes
#   kill NODE PROGRAM [SIG]   signal a program in the pods of a node; KILL if not said otherwise
#   apiserver stop|start [N]  end the API server, of n1 if not said otherwise; bring it back
#   restart-apiserver         kill it and let the kubelet bring it back
#   manifest NODE [FLAG...]   write kube-vip's static pod of that node anew; without flags as `up` does
#   upgrade NODE              another image in that manifest: the same one by another name
#   kube-vip NODE ARGUMENT... run kube-vip once from its image
#   join NODE [worker]        make it one more control plane, or a worker
#   reset NODE                take it out of the cluster, and leave it as it was at first
#   members                   the members of etcd, one line each
#
# The cache is in $KUBE_VIP_BED_CACHE (default ~/.cache/kube-vip-bed), a standing bed in $KUBE_VIP_BED_STATE (default
# /var/tmp/kube-vip-bed). Needs root, but for need and build.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in common need build image network nodes cluster control-planes commands; do
  # shellcheck source=/dev/null
  . "$HERE/$part.sh"
done

PATH=$BED_BIN:$PATH:/usr/local/sbin:/usr/sbin:/sbin # a user's PATH on Debian lacks the sbin folders

BED_ENV=(
  "KUBECONFIG=$BED_STATE/kubeconfig"
  "KUBECACHEDIR=$BED_STATE/kubectl"
  "BED=$HERE/bed.sh"
  "BED_STATE=$BED_STATE"
  "BED_NODES=${NODES[*]}"
  "BED_CONTROL_PLANES=$CONTROL_PLANES"
  "BED_BIN=$BED_BIN"
  "BED_AUDIT_LOG=$BED_STATE/n1/var/log/kubernetes/audit.log"
  "PATH=$PATH"
)

COMMAND='' # the process group of run's COMMAND
MADE=''    # set as soon as the bed is this script's own: not one that stood before

# catch_signals FUNCTION: a signal ends the script as any exit does, and FUNCTION is its one way out.
catch_signals() {
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # shellcheck disable=SC2064 # the name is meant to be filled in now
  trap "$1" EXIT
}

# An interrupted start is cleared away; a failed one stays to be looked at, and the next one clears it.
after_up() {
  STATUS=$?
  clean_up_calmly
  ((STATUS <= 128)) || [[ -z $MADE ]] || down
  exit "$STATUS"
}

after_run() {
  STATUS=$?
  clean_up_calmly
  if [[ -n $MADE && -n ${KEEP_BED:-} ]]; then
    say "the bed stays; \"$0 down\" removes it"
  elif [[ -n $MADE ]]; then
    down
  fi
  exit "$STATUS"
}

# Nothing stops half-way any more: neither at a signal nor at a failure.
clean_up_calmly() {
  trap '' HUP INT TERM
  trap - EXIT
  set +e
  stop_building
  stop_command
  jobs -p | xargs -r kill 2>/dev/null # steps that nobody waits for any more
}

run() {
  (($# > 0)) || usage
  catch_signals after_run
  up
  # a session of its own, so that a signal reaches all that COMMAND started; and it can be interrupted like any command,
  # which a job of a script cannot
  nsenter --net="$(namespace admin)" -- env --default-signal=INT,QUIT "${BED_ENV[@]}" setsid -- "$@" <&0 9>&- &
  COMMAND=$!
  wait "$COMMAND" && STATUS=0 || STATUS=$?
  COMMAND=''
  exit "$STATUS"
}

stop_command() {
  [[ -n $COMMAND ]] || return 0
  kill -TERM -- "-$COMMAND" 2>/dev/null || true
  timeout 10 tail --pid="$COMMAND" -f /dev/null || kill -KILL -- "-$COMMAND" 2>/dev/null || true
}

usage() {
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
}

# takes COUNT EXPECTED: whether a command has as many arguments as it takes.
takes() { (($1 == $2)) || usage; }

main() {
  local command=${1:-}
  (($# == 0)) || shift
  case $command in
    need) need ;;
    build)
      catch_signals stop_building
      need
      build
      say "complete: $BED_VERSIONS"
      ;;
    up)
      catch_signals after_up
      up
      ;;
    down)
      trap '' HUP INT TERM
      down
      ;;
    run) run "$@" ;;
    status) status ;;
    env) printf 'export %s\n' "${BED_ENV[@]@Q}" ;;
    exec) (($# >= 2)) || usage; exec_on "$@" ;;
    cut) takes $# 1; cable "$1" down ;;
    mend) takes $# 1; cable "$1" up ;;
    load) (($# >= 1)) || usage; load "$@" ;;
    kill) (($# >= 2)) || usage; kill_in "$@" ;;
    apiserver)
      case ${1:-} in
        stop) stop_apiserver "${2:-n1}" ;;
        start) start_apiserver "${2:-n1}" ;;
        *) usage ;;
      esac
      ;;
    restart-apiserver) restart_apiserver ;;
    manifest) (($# >= 1)) || usage; write_manifest "$@" ;;
    upgrade) takes $# 1; upgrade "$1" ;;
    kube-vip) (($# >= 1)) || usage; kube_vip "$@" ;;
    join) if [[ ${2:-} == worker ]]; then join_worker "$1"; else takes $# 1; join_control_plane "$1"; fi ;;
    reset) takes $# 1; reset_node "$1" ;;
    members) members ;;
    *) usage ;;
  esac
}

main "$@"

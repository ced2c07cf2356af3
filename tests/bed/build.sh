# shellcheck shell=bash
# Compiles Kubernetes, etcd and containerd from their Go modules, once per set of versions (sourced by bed.sh).
#
# Modules and compiled packages go where the user's Go keeps them anyway; only binaries and images lie in the bed's own
# cache. A file there is complete: it is made under another name and renamed at the end. So an interrupted build goes on
# with the first binary that is not there yet.

KUBERNETES_PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl)
CONTAINERD_PROGRAMS=(containerd containerd-shim-runc-v2 ctr)

WORKING='' # the process group of the Go command now at work, for stop_building

build() {
  local program
  local -x GOFLAGS='-mod=mod -buildvcs=false' GOTOOLCHAIN=local CGO_ENABLED=0
  if is_built; then return; fi
  one_at_a_time build
  if is_built; then # by another one, in the meantime
    next_one
    return
  fi
  mkdir -p "$BED_BIN" "$BED_IMG" "$BED_VERSIONS/src"
  for program in "${KUBERNETES_PROGRAMS[@]}"; do
    compile "$program" kubernetes "k8s.io/kubernetes/cmd/$program" -ldflags "$(kubernetes_ldflags)"
  done
  compile etcd etcd go.etcd.io/etcd/server/v3 -ldflags '-s -w'
  for program in "${CONTAINERD_PROGRAMS[@]}"; do
    compile "$program" containerd "github.com/containerd/containerd/v2/cmd/$program" -ldflags '-s -w' \
      -tags 'no_btrfs no_zfs no_devmapper'
  done
  compile pause pause . -ldflags '-s -w'
  make_images
  rm -rf "$BED_VERSIONS/src"
  touch "$BED_VERSIONS/complete"
  say "built: $BED_VERSIONS"
  next_one
}

is_built() { [[ -e $BED_VERSIONS/complete ]]; }

# compile PROGRAM MODULE PACKAGE FLAG...
compile() {
  local program=$1 module=$2 package=$3
  shift 3
  if [[ -x $BED_BIN/$program ]]; then return; fi
  [[ -d $BED_VERSIONS/src/$module ]] || make_module "$module"
  work "compiling $program" go -C "$BED_VERSIONS/src/$module" build -trimpath "$@" -o "$BED_BIN/.$program" "$package"
  mv "$BED_BIN/.$program" "$BED_BIN/$program"
}

# work WHAT COMMAND...: runs a long step in a process group of its own, with signs of life.
work() {
  local what=$1 started=$SECONDS log=$BED_VERSIONS/build.log
  shift
  set -m # job control: the group lets stop_building end the compilers that go starts together with it
  "$@" >"$log" 2>&1 </dev/null 9>&- &
  set +m
  WORKING=$!
  show_progress "$what" "$WORKING" "$started"
  if ! wait "$WORKING"; then
    tail -n 30 "$log" >&2
    die "$what failed; the output is in $log"
  fi
  WORKING=''
  rm "$log"
  say "$what took $(minutes $((SECONDS - started)))"
}

stop_building() {
  [[ -z $WORKING ]] || kill -TERM -- "-$WORKING" 2>/dev/null || true
}

# show_progress WHAT PID STARTED: signs of life until PID ends; on a terminal one line that counts, else one each 10 s.
show_progress() {
  local shown=$SECONDS
  while kill -0 "$2" 2>/dev/null; do
    if [[ -t 2 ]]; then
      printf '\r%4ds  %s … %s ' "$SECONDS" "$1" "$(minutes $((SECONDS - $3)))" >&2
    elif ((SECONDS >= shown + 10)); then
      shown=$SECONDS
      say "still $1 … $(minutes $((SECONDS - $3)))"
    fi
    sleep 0.2
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

minutes() { if (($1 < 60)); then echo "${1}s"; else echo "$(($1 / 60))m$(($1 % 60))s"; fi; }

# make_module NAME: a Go module whose only purpose is to require the programs at their versions.
make_module() {
  local folder=$BED_VERSIONS/src/$1 new=$BED_VERSIONS/src/.$1
  rm -rf "$new"
  mkdir "$new"
  printf 'module bed\n\ngo %s\n' "$GO_AT_LEAST" >"$new/go.mod"
  case $1 in
    kubernetes) work 'fetching the modules of kubernetes' require_kubernetes "$new" ;;
    etcd) work 'fetching the modules of etcd' go -C "$new" get "go.etcd.io/etcd/server/v3@v$ETCD" ;;
    containerd)
      work 'fetching the modules of containerd' go -C "$new" get "github.com/containerd/containerd/v2@v$CONTAINERD"
      ;;
    pause) cp "$HERE/config/pause.go" "$new" ;;
  esac
  mv "$new" "$folder"
}

# k8s.io/kubernetes names its libraries by relative paths, which do not exist in the module cache: each is replaced with
# its published version.
require_kubernetes() {
  local go_mod
  go_mod=$(cd "$1" && go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  [[ -n $go_mod ]] || return
  {
    printf '\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$KUBERNETES"
    sed -n "s#^[[:space:]]*\(k8s\.io/[a-z-]*\) => \./staging.*#\t\1 => \1 v$KUBERNETES_MODULES#p" "$go_mod"
    printf ')\n'
  } >>"$1/go.mod"
}

# The version that kubelets report, and that kubeadm compares.
kubernetes_ldflags() {
  local at=k8s.io/component-base/version minor=${KUBERNETES#1.}
  echo "-s -w -X $at.gitVersion=v$KUBERNETES -X $at.gitMajor=1 -X $at.gitMinor=${minor%%.*}"
}

# shellcheck shell=bash
# What tests do to a standing bed (sourced by bed.sh).

# exec HOST COMMAND...: becomes the command, so that signals and the terminal are the command's.
exec_on() {
  local host=$1 init
  shift
  [[ -n ${HOSTS[$host]:-} || $host == lan ]] || die "no such host: $host"
  [[ -e $(namespace "$host") ]] || die 'the bed is not up'
  if is_node "$host"; then
    init=$(init_of "$host") || die "node $host does not run"
    exec nsenter --target "$init" --all -- env PATH="$NODE_PATH" "$@"
  fi
  exec nsenter --net="$(namespace "$host")" -- env "${BED_ENV[@]}" "$@"
}

# load TAR...: through stdin, for a node does not see every file of the machine.
load() {
  local node tar jobs=() log=$BED_STATE/load.log
  for tar in "$@"; do
    [[ -r $tar ]] || die "no such file: $tar"
    for node in "${NODES[@]}"; do
      in_node "$node" ctr --namespace k8s.io images import - <"$tar" >>"$log" 2>&1 &
      jobs+=($!)
    done
  done
  for tar in "${jobs[@]}"; do wait "$tar" || die "an image could not be loaded: $(tail -n 3 "$log")"; done
}

# kill NODE PROGRAM [SIGNAL]: the program in pods of this node, by the name of its file.
kill_in() {
  local node=$1 program=$2 signal=${3:-KILL}
  in_node "$node" pkill --signal "$signal" --full "^([^ ]*/)?$program( |\$)" || die "$program does not run on $node"
}

# The API server ends as in a crash, and the kubelet starts no other without the manifest.
stop_apiserver() {
  local manifest stopped
  manifest=$(static_pod "$1" kube-apiserver) stopped=$(put_aside "$1" kube-apiserver)
  [[ ! -e $stopped ]] || die "the API server of $1 is stopped already"
  mv "$manifest" "$stopped"
  kill_in "$1" kube-apiserver
  until_true 30 "the end of the API server of $1" apiserver_is_gone "$1"
  say "the API server of $1 is stopped"
}

start_apiserver() {
  local stopped
  stopped=$(put_aside "$1" kube-apiserver)
  [[ -e $stopped ]] || die "the API server of $1 is not stopped"
  mv "$stopped" "$(static_pod "$1" kube-apiserver)"
  await_apiserver "$1"
}

restart_apiserver() {
  kill_in n1 kube-apiserver
  await_apiserver n1
}

await_apiserver() {
  until_true 60 "the API server of $1" apiserver_answers "$1"
  say "the API server of $1 answers"
}

# static_pod NODE NAME: its manifest; put_aside NODE NAME: where the kubelet does not look for it.
static_pod() { echo "$BED_STATE/$1/etc/kubernetes/manifests/$2.yaml"; }
put_aside() { echo "$BED_STATE/$1/etc/kubernetes/$2.yaml"; }

apiserver_is_gone() { ! in_node "$1" pgrep --full '^kube-apiserver ' >/dev/null; }

apiserver_answers() {
  admin kubectl get --raw /readyz --server "https://$(ipv4 "$1"):6443" --request-timeout=1s >/dev/null 2>&1
}

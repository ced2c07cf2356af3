#!/usr/bin/env bash
# node.sh NAME: pid 1 of a node, already in its own network, mount, pid, uts, ipc and cgroup namespaces.
#
# It gives the node a root file system of its own and then runs containerd, the kubelet and kube-proxy, as a service
# manager would. BED_STATE, BED_BIN and BED_IMG come from the environment; the node's folder is $BED_STATE/NAME.
set -euo pipefail

name=$1
folder=$BED_STATE/$name

# The machine's files, with a layer above them in memory that takes every change and goes with the namespace; so the
# machine itself gets no /etc/kubernetes. What grows (images, etcd's data) is kept on the real disk: etcd then waits for
# a real fsync, as it does in a real cluster. In return nothing in the node survives `down`.
make_root() {
  local tree=$folder/root/tree path
  mkdir -p "$folder/root"
  mount -t tmpfs -o mode=755 tmpfs "$folder/root"
  mkdir "$folder/root/upper" "$folder/root/work" "$tree"
  mount -t overlay -o "lowerdir=/,upperdir=$folder/root/upper,workdir=$folder/root/work" overlay "$tree"
  for path in etc/{kubernetes,cni/net.d} var/lib/{kubelet,etcd,containerd,cni} var/log/{pods,containers,kubernetes}; do
    mkdir -p "$folder/$path" "$tree/$path"
    mount --bind "$folder/$path" "$tree/$path"
  done
  for path in "$BED_STATE" "$BED_BIN" "$BED_IMG"; do
    mkdir -p "$tree$path"
    mount --bind "$path" "$tree$path"
  done
  mount --rbind /dev "$tree/dev"
  mount -t proc proc "$tree/proc"
  mount -t sysfs sysfs "$tree/sys" # so that /sys/class/net is this namespace's
  mount -t tmpfs tmpfs "$tree/run"
  mount_cgroups "$tree/sys/fs/cgroup"
  cd "$tree"
  mkdir -p .machine
  pivot_root . .machine
  umount --lazy /.machine
  mount --make-rshared /
}

# The node sees its own cgroup, kvb/NAME, as the root of each hierarchy: kubelets do not meet in one /kubepods.
mount_cgroups() {
  local hierarchy
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then # version 2: one hierarchy
    mount --bind "/sys/fs/cgroup/$BED_PREFIX/$name" "$1"
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs "$1"
  for hierarchy in /sys/fs/cgroup/*; do
    if [[ -L $hierarchy ]]; then # cpu -> cpu,cpuacct
      cp -d "$hierarchy" "$1/"
    else
      mkdir "$1/${hierarchy##*/}"
      mount --bind "$hierarchy/$BED_PREFIX/$name" "$1/${hierarchy##*/}"
    fi
  done
}

# In version 2 a cgroup that hands controllers down has no processes in itself: pid 1 moves into a leaf, and what is
# above pid 1 is moved from outside.
share_controllers() {
  local controller
  [[ -e /sys/fs/cgroup/cgroup.controllers ]] || return 0
  mkdir /sys/fs/cgroup/init
  echo 1 >/sys/fs/cgroup/init/cgroup.procs
  while [[ -n $(</sys/fs/cgroup/cgroup.procs) ]]; do sleep 0.1; done
  for controller in $(</sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
  done
}

# A kubelet sets these in the kernel, for the whole machine and for good, unless they already read as it wants them.
show_kubelet_sysctls() {
  local pair
  mkdir -p /run/sysctls
  for pair in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    echo "${pair#*=}" >"/run/sysctls/${pair//\//.}"
    mount --bind "/run/sysctls/${pair//\//.}" "/proc/sys/${pair%=*}"
  done
}

name_itself() {
  hostname "$name"
  rm -f /etc/hosts /etc/hostname /etc/resolv.conf # links into /run on some machines
  echo "$name" >/etc/hostname
  cp "$folder/hosts" /etc/hosts
  # nothing answers there, and at once: no query leaves the segment
  echo 'nameserver 198.18.0.1' >/etc/resolv.conf
}

# Pods reach what is not a pod under their node's address.
masquerade() {
  nft -f - <<'RULES'
table inet bed {
  chain postrouting {
    type nat hook postrouting priority srcnat + 10
    ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 oifname "eth0" masquerade
    ip6 saddr fd44::/48 ip6 daddr != fd44::/48 oifname "eth0" masquerade
  }
}
RULES
}

start_containerd() {
  local image
  keep_running containerd containerd --config "$folder/containerd.toml"
  until ctr version >/dev/null 2>&1; do sleep 0.1; done
  for image in "$folder"/img/*; do
    ctr --namespace k8s.io images import "$image" >>"$folder/import.log" 2>&1
  done
}

# kubeadm starts and stops the kubelet as a service.
take_the_place_of_systemd() { cp "$folder/systemctl" /usr/local/sbin/; }

run_kubelet() {
  local KUBELET_KUBEADM_ARGS=''
  until [[ ! -e /run/kubelet.stopped && -s /var/lib/kubelet/config.yaml ]] &&
    [[ -s /etc/kubernetes/kubelet.conf || -s /etc/kubernetes/bootstrap-kubelet.conf ]]; do
    sleep 0.1
  done
  # shellcheck source=/dev/null
  [[ ! -e /var/lib/kubelet/kubeadm-flags.env ]] || . /var/lib/kubelet/kubeadm-flags.env
  # shellcheck disable=SC2086 # kubeadm writes several flags into one variable
  kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \
    --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf $KUBELET_KUBEADM_ARGS
}

run_kube_proxy() {
  until [[ -s /etc/kubernetes/kube-proxy.conf ]]; do sleep 0.1; done
  kube-proxy --config "$folder/kube-proxy.yaml" --hostname-override "$name"
}

# keep_running NAME COMMAND...: a service that is started again when it ends.
keep_running() {
  local log=$folder/$1.log
  shift
  while true; do
    "$@" >>"$log" 2>&1 || true
    sleep 0.2
  done &
}

make_root
share_controllers
show_kubelet_sysctls
name_itself
masquerade
take_the_place_of_systemd
start_containerd
keep_running kubelet run_kubelet
keep_running kube-proxy run_kube_proxy
touch "$folder/ready"
wait

# shellcheck shell=bash
# Container images of single static binaries, in the docker-archive format, with tar alone (sourced by bed.sh).

make_images() {
  local program
  for program in kube-apiserver kube-controller-manager kube-scheduler; do
    make_image "$program" "registry.k8s.io/$program:v$KUBERNETES" "$BED_BIN/$program" "/usr/local/bin/$program"
  done
  make_image etcd "registry.k8s.io/etcd:$ETCD-0" "$BED_BIN/etcd" /usr/local/bin/etcd
  make_image pause "registry.k8s.io/pause:$PAUSE" "$BED_BIN/pause" /pause
  make_image busybox docker.io/library/busybox:bed "$(type -P busybox)" /bin/busybox
}

# make_image NAME TAG BINARY PATH: $BED_IMG/NAME.tar with BINARY at PATH as its entrypoint.
make_image() {
  local out=$BED_IMG/$1.tar work=$BED_IMG/.$1
  [[ ! -e $out ]] || return 0
  rm -rf "$work"
  mkdir -p "$work/root${4%/*}" "$work/root/tmp" "$work/image"
  chmod 1777 "$work/root/tmp"
  cp "$3" "$work/root$4"
  [[ $1 != busybox ]] || link_applets "$work/root/bin"
  plain_tar "$work/root" "$work/image/layer.tar"
  describe_image "$work/image" "$2" "$4"
  plain_tar "$work/image" "$work/$1.tar"
  mv "$work/$1.tar" "$out"
  rm -rf "$work"
  say "made the image $2"
}

# plain_tar FOLDER TAR: the same bytes for the same content, whoever makes it and when.
plain_tar() { tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$2" .; }

describe_image() {
  local folder=$1 layer config
  layer=$(sha256sum "$folder/layer.tar" | cut -d ' ' -f 1)
  {
    printf '{"architecture":"%s","os":"linux",' "$(go env GOARCH)"
    printf '"config":{"Env":["PATH=/usr/local/bin:/bin"],"Entrypoint":["%s"]},' "$3"
    printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer"
  } >"$folder/config.json"
  config=$(sha256sum "$folder/config.json" | cut -d ' ' -f 1)
  mv "$folder/config.json" "$folder/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$2" >"$folder/manifest.json"
}

link_applets() {
  local applet
  for applet in $("$1/busybox" --list); do
    [[ -e $1/$applet ]] || ln -s busybox "$1/$applet"
  done
}

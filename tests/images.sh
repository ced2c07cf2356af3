#!/usr/bin/env bash
# images.sh [FOLDER]: builds both images from the static binaries in FOLDER (default target/release) and leaves them as
# docker-archives: target/images/kube-vip.tar and target/images/kube-vip-cloud-provider.tar.
#
# The build context is target/images/context: ca-certificates.crt, and each binary under its platform (linux/amd64/…).
# buildah keeps its storage in target/images too, so that nothing of the user's is touched.
set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=bed/common.sh
. "$REPOSITORY/tests/bed/common.sh"

BINARIES=${1:-$REPOSITORY/target/release}
IMAGES=$REPOSITORY/target/images
CONTEXT=$IMAGES/context
AUTHORITIES=${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}
SMALLER_THAN=$((15 * 1000 * 1000))

# The version of the workspace: `version = "…"` under [workspace.package], or under [package] if there is none.
workspace_version() {
  local section version
  for section in workspace.package package; do
    version=$(awk -F '"' -v section="[$section]" '
      /^[[:space:]]*\[/ { sub(/[[:space:]]*(#.*)?$/, ""); sub(/^[[:space:]]*/, ""); inside = ($0 == section) }
      inside && /^[[:space:]]*version[[:space:]]*=/ { print $2; exit }' "$REPOSITORY/Cargo.toml")
    if [[ -n $version ]]; then
      echo "$version"
      return
    fi
  done
  die "no version in $REPOSITORY/Cargo.toml"
}

# platform_of BINARY: by the machine in its ELF header, so that an image never names another one than it holds.
platform_of() {
  case $(elf_number "$1" 18 2) in
    62) echo linux/amd64 ;;
    183) echo linux/arm64 ;;
    *) die "$1 is for a machine that has no image" ;;
  esac
}

own_buildah() {
  buildah --root "$IMAGES/storage" --runroot "$IMAGES/run" --storage-driver vfs "$@"
}

# image PROGRAM DOCKERFILE
image() {
  local program=$1 dockerfile=$2 binary=$BINARIES/$1 tag platform
  [[ -f $binary ]] || die "no binary $binary; build it first"
  is_static "$binary" || die "$binary is not a static binary"
  platform=$(platform_of "$binary")
  tag=localhost/$program:v$VERSION
  mkdir -p "$CONTEXT/$platform"
  install -m 755 "$binary" "$CONTEXT/$platform/$program"
  # a fixed time stamp, and a format that keeps no host name: the same binary makes the same image
  own_buildah build --quiet --isolation chroot --platform "$platform" --timestamp 0 --format oci \
    --build-arg TARGETPLATFORM="$platform" --build-arg VERSION="$VERSION" \
    --file "$REPOSITORY/$dockerfile" --tag "$tag" "$CONTEXT" >/dev/null
  rm -f "$IMAGES/$program.tar"
  own_buildah push --quiet --signature-policy "$IMAGES/policy.json" "$tag" "docker-archive:$IMAGES/$program.tar:$tag"
  describe "$tag" "$IMAGES/$program.tar"
}

describe() {
  local bytes
  bytes=$(stat -c %s "$2")
  ((bytes < SMALLER_THAN)) || die "$2 has $bytes bytes; it has to stay below $SMALLER_THAN"
  printf '%-36s %-10s %3d.%d MB\n' "${1%:*}" "${1##*:}" $((bytes / 1000000)) $((bytes / 100000 % 10))
}

type -P buildah >/dev/null || die "buildah is missing (Debian package buildah)"
[[ -r $AUTHORITIES ]] || die "no certificates in $AUTHORITIES (Debian package ca-certificates, or set CA_BUNDLE)"
VERSION=$(workspace_version)
rm -rf "$CONTEXT"
mkdir -p "$CONTEXT"
install -m 644 "$AUTHORITIES" "$CONTEXT/ca-certificates.crt"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$IMAGES/policy.json" # images that were made a moment ago
[[ -e /var/lib/containers ]] || NOTES=/var/lib/containers # where root's buildah notes what it has copied, told or not
trap 'rm -rf "$IMAGES/storage" "$IMAGES/run" "$IMAGES/policy.json" ${NOTES:+"$NOTES"}' EXIT
printf '%-36s %-10s %s\n' image tag size
image kube-vip Dockerfile.announcer
image kube-vip-cloud-provider Dockerfile.ccm

#!/usr/bin/env bash
# get-redis.sh NAME SUITE DEST: a Redis or Valkey of Debian's in a folder, without root and without
# touching the system.
#
#   get-redis.sh redis  bookworm     target/servers/redis-7
#   get-redis.sh redis  experimental target/servers/redis-8
#   get-redis.sh valkey sid          target/servers/valkey-9
#
# A private apt root finds and verifies the packages, `dpkg -x` unpacks them, and nothing of theirs runs:
# no service is started and no user is made, which installing Debian's redis-server would do.
# The server comes with the C library and the other libraries of its own suite and is started through the
# loader of that suite, so it does not matter which Debian this machine has.
# DEST appears only when it is whole, and can be moved afterwards.
set -euo pipefail

[ $# = 3 ] || { echo "usage: get-redis.sh redis|valkey SUITE DEST" >&2; exit 2; }
name=$1 suite=$2 dest=$3
case $name in redis|valkey) ;; *) echo "get-redis.sh: redis or valkey, not '$name'" >&2; exit 2;; esac
for need in apt-get dpkg; do
  command -v "$need" >/dev/null || { echo "get-redis.sh: no $need here: this needs Debian" >&2; exit 1; }
done

key=/usr/share/keyrings/debian-archive-keyring.gpg
# The archive that this machine is already set up to use.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } \
  | grep -v '^ *#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
[ -n "$mirror" ] || { echo "get-redis.sh: no Debian archive in /etc/apt/sources.list*" >&2; exit 1; }

case $suite in
  bookworm)
    suites=$suite libs=$suite
    packages="libssl3 libgcrypt20 libgpg-error0 liblzma5 liblz4-1" ;;
  experimental) # holds only what is not in sid yet: the libraries are sid's
    suites="experimental sid" libs=sid packages="libssl3t64 zlib1g" ;;
  *)
    suites=$suite libs=$suite packages="libssl3t64 zlib1g" ;;
esac
packages="$packages libc6 libatomic1 libjemalloc2 liblzf1 libstdc++6 libgcc-s1 libsystemd0 libcap2 libzstd1"

mkdir -p "$(dirname "$dest")"
dest=$(cd "$(dirname "$dest")" && pwd)/$(basename "$dest")
part=$dest.part
rm -rf "$part"
mkdir -p "$part/bin"
trap 'rm -rf "$part"' EXIT

root=$part/.apt
mkdir -p "$root"/{prefs.d,state/lists/partial,cache/archives/partial}
for s in $suites; do
  echo "deb [signed-by=$key] $mirror $s main"
done >"$root/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$root/prefs.d" \
    -o Dir::State="$root/state" -o Dir::State::Lists="$root/state/lists" \
    -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$root/cache" \
    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
apt update

mkdir "$part/.deb"
cd "$part/.deb"
# shellcheck disable=SC2086 # a list of words
apt download "$name-tools/$suite" "$name-server/$suite" $(printf "%s/$libs " $packages)
for deb in ./*.deb; do dpkg -x "$deb" "$part/root"; done
cd "$part"
rm -rf "$part/.deb" "$part/.apt"

loader=$(cd "$part/root" && find . -name 'ld-linux-*.so.*' -path '*-linux-gnu/*' | head -n 1)
[ -n "$loader" ] || { echo "get-redis.sh: libc6 of $libs brought no loader" >&2; exit 1; }
arch=$(basename "$(dirname "$loader")")
for tool in server cli benchmark; do
  # `exec` twice: the process that was started is the server itself, so signals reach it.
  cat >"$part/bin/$name-$tool" <<WRAPPER
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../root
exec "\$root/${loader#./}" --library-path "\$root/usr/lib/$arch:\$root/lib/$arch" "\$root/usr/bin/$name-$tool" "\$@"
WRAPPER
  chmod +x "$part/bin/$name-$tool"
done
"$part/bin/$name-server" --version
rm -rf "$dest"
mv "$part" "$dest"
trap - EXIT

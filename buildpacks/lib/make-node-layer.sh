#!/usr/bin/env bash
# make-node-layer.sh node-VERSION-npm-VERSION-ARCH DIR CACHE_DIR: fills DIR. What comes out depends on the key alone, as apps
# share it.
set -euo pipefail
KEY=$1 DIR=$2 CACHE_DIR=$3
LIB=$(cd "$(dirname "$0")" && pwd)
source "$LIB/output.sh"
source "$LIB/node.sh"

[[ $KEY =~ ^node-([0-9.]+)-npm-([0-9][0-9A-Za-z.-]*)-(x64|arm64)$ ]] || fail "Cannot make \"$KEY\": it names no Node.js."
VERSION=${BASH_REMATCH[1]} NPM_VERSION=${BASH_REMATCH[2]} ARCH=${BASH_REMATCH[3]}
NPM="$DIR/lib/node_modules/npm"
mkdir -p "$DIR/bin" "$NPM"

# fetch_package NAME VERSION DIR: an npm package's files.
fetch_package() {
  local fresh="$CACHE_DIR/pack"
  rm -rf "$fresh" && mkdir -p "$fresh"
  info "Downloading $1@$2"
  (cd "$fresh" && npm pack --silent --cache "$CACHE_DIR/npm" "$1@$2" >/dev/null 2>&1) ||
    fail "Cannot download $1@$2 with npm." "Can this peer reach the npm registry?"
  mkdir -p "$3" && tar -xzf "$fresh"/*.tgz -C "$3" --strip-components=1 --no-same-owner
}

read -r host arch host_npm_version <<<"$(node -p 'process.versions.node + " " + process.arch + " " + require(process.argv[1]).version' \
  "$(host_npm)/package.json")"
node=$(readlink -f "$(command -v node)")
# One that is linked against libnode does not run where that library is missing.
if [ "$host-$arch" = "$VERSION-$ARCH" ] && ! ldd "$node" 2>/dev/null | grep -q libnode; then
  cp "$node" "$DIR/bin/node"
else
  fetch_package "node-linux-$ARCH" "$VERSION" "$CACHE_DIR/node"
  mv "$CACHE_DIR/node/bin/node" "$DIR/bin/node"
fi
root=$(host_npm)
if [ "$host_npm_version" = "$NPM_VERSION" ] && [ -d "$root/node_modules/semver" ]; then
  cp -R "$root/bin" "$root/lib" "$root/node_modules" "$root/index.js" "$root/package.json" "$NPM/"
else
  fetch_package npm "$NPM_VERSION" "$NPM"
fi
chmod 755 "$DIR/bin/node" "$NPM/bin/"*-cli.js
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$DIR/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$DIR/bin/npx"

# Puts Node.js and npm into an app: .kith/node (bin/node) and .kith/npm. A dyno has neither of its own.

NODE_DEFAULT=24

# json FILE EXPRESSION: a value of a JSON file by the host's Node, empty where there is none. `$` is the file's content.
json() {
  node -e 'const $ = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const value = eval(process.argv[2]); if (value !== undefined && value !== null) console.log(String(value))' \
    "$1" "$2" 2>/dev/null
}

# host_npm: folder of the npm package that this host gives, empty where it has none.
host_npm() {
  local cli
  cli=$(command -v npm) || return 0
  cli=$(readlink -f "$cli")
  dirname "$(dirname "$cli")"
}

# satisfies RANGE VERSION, by npm's own semver.
satisfies() {
  node -e 'process.exit(require(process.argv[1]).satisfies(process.argv[3], process.argv[2]) ? 0 : 1)' \
    "$(host_npm)/node_modules/semver" "$1" "$2" 2>/dev/null
}

# fetch_package NAME VERSION DIR: an npm package's files, kept in CACHE_DIR.
fetch_package() {
  local kept="$CACHE_DIR/packages/$1-$2.tgz"
  if [ ! -f "$kept" ]; then
    local fresh="$TMPDIR/pack"
    rm -rf "$fresh" && mkdir -p "$fresh" "$CACHE_DIR/packages"
    rm -f "$CACHE_DIR/packages/$1-"*.tgz
    (cd "$fresh" && npm pack --silent --cache "$CACHE_DIR/npm" "$1@$2" >/dev/null 2>&1) ||
      fail "Cannot download $1@$2 with npm." "Can this peer reach the npm registry?"
    mv "$fresh"/*.tgz "$kept"
  fi
  mkdir -p "$3" && tar -xzf "$kept" -C "$3" --strip-components=1 --no-same-owner
}

# install_node BUILD_DIR RANGE: the host's own Node where it fits, so that most builds download nothing; else the npm
# package of that version.
install_node() {
  local build=$1 range=${2:-$NODE_DEFAULT.x} host arch version
  [ -n "$(host_npm)" ] || fail "This host has no npm, which building Node.js apps needs." \
    "Install npm on it, or push to a peer that has it."
  host=$(node -p process.versions.node)
  arch=$(node -p process.arch)
  mkdir -p "$build/.kith/node/bin"
  if satisfies "$range" "$host" && ! ldd "$(readlink -f "$(command -v node)")" 2>/dev/null | grep -q libnode; then
    info "Using Node.js $host for \"$range\" (this host's own)"
    cp -L "$(command -v node)" "$build/.kith/node/bin/node"
  else
    version=$(npm view --cache "$CACHE_DIR/npm" "node-linux-$arch@$range" version --json 2>/dev/null |
      tr -d '[]", ' | grep -E '^[0-9]+(\.[0-9]+){2}$' | sort -V | tail -1 || true)
    [ -n "$version" ] || npm view --cache "$CACHE_DIR/npm" "node-linux-$arch" version >/dev/null 2>&1 ||
      fail "Cannot look up which Node.js fits \"$range\": the npm registry does not answer." \
        "This host has $host: engines.node \"${host%%.*}.x\" needs no download."
    [ -n "$version" ] || fail "No version of Node.js fits \"$range\"." \
      "Set engines.node in package.json to one that exists, such as \"$NODE_DEFAULT.x\"."
    info "Downloading Node.js $version for \"$range\""
    fetch_package "node-linux-$arch" "$version" "$TMPDIR/node"
    mv "$TMPDIR/node/bin/node" "$build/.kith/node/bin/node"
    rm -rf "$TMPDIR/node"
  fi
  chmod 755 "$build/.kith/node/bin/node"
  export PATH="$build/.kith/node/bin:$PATH"
}

# install_npm BUILD_DIR: the npm that runs on the app's Node; the host's own where it is whole.
install_npm() {
  local build=$1 root node
  root=$(host_npm)
  node=$("$build/.kith/node/bin/node" -p process.versions.node)
  if [ -d "$root/node_modules/semver" ] && satisfies "$(json "$root/package.json" '$.engines.node')" "$node"; then
    mkdir -p "$build/.kith/npm"
    cp -R "$root/bin" "$root/lib" "$root/node_modules" "$root/index.js" "$root/package.json" "$build/.kith/npm/"
  else
    case "${node%%.*}" in
      18 | 19) fetch_package npm 10.9.4 "$build/.kith/npm" ;;
      16 | 17) fetch_package npm 8.19.4 "$build/.kith/npm" ;;
      *) fail "Node.js $node is too old: 16 is the oldest that can be used." ;;
    esac
  fi
  chmod 755 "$build/.kith/npm/bin/"*-cli.js
  ln -sf ../../npm/bin/npm-cli.js "$build/.kith/node/bin/npm"
  ln -sf ../../npm/bin/npx-cli.js "$build/.kith/node/bin/npx"
}

# node_profile BUILD_DIR: what dynos get in their environment.
node_profile() {
  mkdir -p "$1/.profile.d"
  cat >"$1/.profile.d/nodejs.sh" <<'PROFILE'
export PATH="$HOME/.kith/node/bin:$PATH:$HOME/bin:$HOME/node_modules/.bin"
export NODE_ENV="${NODE_ENV:-production}"
export NODE_HOME="$HOME/.kith/node"
PROFILE
}

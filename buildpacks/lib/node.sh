# Node.js and npm for apps, as a layer that all apps with the same versions share: .kith/node is what `npm config get prefix`
# is on any machine (bin/node, bin/npm, lib/node_modules/npm). A dyno has no other Node.

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

# node_layer [PACKAGE_JSON]: the line of bin/layers, to descriptor 3. The host's own version where it fits engines.node, so that
# most builds download nothing; else the newest that npm knows.
node_layer() {
  local manifest=${1:--} host_npm chosen arch version npm range
  host_npm=$(host_npm)
  [ -n "$host_npm" ] || fail "This host has no npm, which building Node.js apps needs." \
    "Install npm on it, or push to a peer that has it."
  choose() { node "$(dirname "${BASH_SOURCE[0]}")/choose-node.cjs" "$host_npm" "$NODE_DEFAULT.x" "$manifest" "$@"; }
  chosen=$(choose) || fail 'Cannot read package.json: it is no valid JSON.'
  read -r arch version npm range <<<"$chosen"
  if [ "$version" = - ]; then
    version=$(npm view --cache "$CACHE_DIR/npm" "node-linux-$arch@$range" version --json 2>/dev/null |
      tr -d '[]", ' | grep -E '^[0-9]+(\.[0-9]+){2}$' | sort -V | tail -1 || true)
    [ -n "$version" ] || npm view --cache "$CACHE_DIR/npm" "node-linux-$arch" version >/dev/null 2>&1 ||
      fail "Cannot look up which Node.js fits \"$range\": the npm registry does not answer." \
        "This host has $(node -p process.versions.node), which needs no download."
    [ -n "$version" ] || fail "No version of Node.js fits \"$range\"." \
      "Set engines.node in package.json to one that exists, such as \"$NODE_DEFAULT.x\"."
    read -r arch version npm range <<<"$(choose "$version")"
  fi
  [ "$npm" != - ] || fail "Node.js $version is too old: 16 is the oldest that can be used."
  info "Using Node.js $version and npm $npm for \"$range\""
  echo ".kith/node node-$version-npm-$npm-$arch" >&3
}

# node_profile BUILD_DIR: what dynos get in their environment. Programs that a build installs with `npm install --global` are
# in .kith/global: the layer is not theirs to change.
node_profile() {
  mkdir -p "$1/.profile.d"
  cat >"$1/.profile.d/nodejs.sh" <<'PROFILE'
export PATH="$HOME/.kith/global/bin:$HOME/.kith/node/bin:$PATH:$HOME/bin:$HOME/node_modules/.bin"
export NODE_ENV="${NODE_ENV:-production}"
export NODE_HOME="$HOME/.kith/node"
PROFILE
}

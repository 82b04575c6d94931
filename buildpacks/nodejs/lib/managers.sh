# npm, yarn and pnpm: which one an app uses, and what it calls the same four steps.

# read_package: what is to be known of package.json, by one start of Node.
read_package() {
  local facts
  facts=$(node -e 'const $ = JSON.parse(require("fs").readFileSync("package.json", "utf8"));
    const [, manager, version] = /^(yarn|pnpm)@([0-9][^+]*)/.exec($.packageManager ?? "") ?? [];
    console.log(["heroku-prebuild", "heroku-postbuild", "build", "heroku-cleanup"].filter((name) => $.scripts?.[name]).join(" "));
    console.log(Object.keys($.devDependencies ?? {})[0] ?? ($.workspaces && "workspaces") ?? "");
    console.log(manager ?? "", version ?? "");') || fail 'Cannot read package.json: it is no valid JSON.'
  { read -r SCRIPTS; read -r PRUNABLE; read -r PINNED_MANAGER PINNED_VERSION; } <<<"$facts" || true
}

choose_manager() {
  if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then echo npm
  elif [ -f yarn.lock ]; then echo yarn
  elif [ -f pnpm-lock.yaml ]; then echo pnpm
  else echo npm
  fi
}

# yarn and pnpm come as npm packages, in the version that package.json's packageManager names; they stay in the slug,
# as a Procfile may call them.
install_manager() {
  [ "$MANAGER" = npm ] && return
  local wanted= package
  [ "$MANAGER" = "$PINNED_MANAGER" ] && wanted=$PINNED_VERSION
  case "$MANAGER-$wanted" in
    yarn- | yarn-1.*) package="yarn@${wanted:-1.22.22}" ;;
    yarn-*) package="@yarnpkg/cli-dist@$wanted" ;;
    pnpm-*) package="pnpm@${wanted:-10}" ;;
  esac
  title "Installing $package"
  npm install --silent --global "$package" </dev/null ||
    fail "Cannot install $package." 'Does the version that packageManager names exist?'
}

has_script() { [[ " $SCRIPTS " == *" $1 "* ]]; }

run_script() {
  has_script "$1" || return 0
  title "Running $1"
  "$MANAGER" run "$1" 2>&1 | indent || fail "The script \"$1\" of package.json failed."
}

# with_store COMMAND...: pnpm's store is in the cache. In the environment of this command only: npm warns of settings not its own.
with_store() { npm_config_store_dir="$CACHE_DIR/pnpm" "$@"; }

install_dependencies() {
  local modern=
  [ "$MANAGER" = yarn ] && [ -f .yarnrc.yml ] && modern=1
  case "$MANAGER$modern" in
    npm)
      if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then npm ci --include=dev --prefer-offline
      else npm install --include=dev --no-package-lock --prefer-offline
      fi ;;
    yarn) yarn install --frozen-lockfile --production=false --ignore-engines --non-interactive --cache-folder "$CACHE_DIR/yarn" ;;
    yarn1) YARN_ENABLE_GLOBAL_CACHE=false YARN_CACHE_FOLDER="$CACHE_DIR/yarn" yarn install --immutable ;;
    pnpm) with_store pnpm install --frozen-lockfile --prod=false --package-import-method copy ;;
  esac
}

prune_dependencies() {
  case "$MANAGER" in
    npm)
      [ -n "$PRUNABLE" ] || { echo 'None to prune'; return 0; }
      npm prune --omit=dev ;;
    yarn)
      [ -f .yarnrc.yml ] && { echo 'Modern yarn: development dependencies stay'; return 0; }
      yarn install --frozen-lockfile --production=true --ignore-engines --ignore-scripts --prefer-offline \
        --non-interactive --cache-folder "$CACHE_DIR/yarn" ;;
    pnpm) CI=1 with_store pnpm prune --prod --ignore-scripts ;;
  esac
}

# Without a lockfile nothing else remembers what was installed. With one, `npm ci` starts afresh from npm's own cache.
restore_modules() {
  [ "$MANAGER" = npm ] && [ ! -f package-lock.json ] && [ -d "$CACHE_DIR/node_modules" ] || return 0
  cp -R "$CACHE_DIR/node_modules" node_modules
}

save_modules() {
  rm -rf "$CACHE_DIR/node_modules"
  [ "$MANAGER" = npm ] && [ ! -f package-lock.json ] && [ -d node_modules ] || return 0
  cp -R node_modules "$CACHE_DIR/node_modules"
}

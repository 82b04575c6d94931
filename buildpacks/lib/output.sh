# What every buildpack here shares: how it talks, and how it reads config vars.

title() { echo "-----> $*"; }
info() { echo "       $*"; }
indent() { sed -u 's/^/       /'; }

# fail LINE...: says why, and ends the build.
fail() {
  echo
  for line in "$@"; do echo " !     $line"; done
  echo
  exit 1
}

# export_config ENV_DIR: config vars become environment, save those that would break the build itself.
export_config() {
  local file name
  [ -d "$1" ] || return 0
  for file in "$1"/*; do
    name=$(basename "$file")
    case "$name" in
      PATH | HOME | TMPDIR | SHELL | BASH_ENV | ENV | IFS | LD_PRELOAD | LD_LIBRARY_PATH | GIT_DIR | '*') ;;
      *) if [ -f "$file" ]; then export "$name=$(cat "$file")"; fi ;;
    esac
  done
}

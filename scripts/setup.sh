#!/bin/sh
# Makes a fresh checkout ready: locked dependencies, and with them the Node that Kith runs on (npm's node-linux-*
# packages), whatever Node the machine has. `setup.sh run` leaves out what only tests need, which is most of it. Does
# nothing when it was done for this lockfile.
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
stamp=node_modules/.kith-setup
for done in all "$what"; do
  if [ -f "$stamp-$done" ] && cmp -s package-lock.json "$stamp-$done"; then exit 0; fi
done
for tool in git tar bash; do
  command -v "$tool" >/dev/null || { echo "Kith needs \"$tool\": install it first (Debian: apt install $tool)" >&2; exit 1; }
done
echo "Installing dependencies (once)..." >&2
omit=
[ "$what" = all ] || omit=--omit=dev
npm ci $omit --no-audit --no-fund --no-update-notifier --loglevel=error >&2
node_modules/.bin/node -e 'if (Number(process.versions.node.split(".")[0]) < 24) process.exit(1)' || {
  echo "Kith needs Node 24 and found $(node --version); npm has packages of it for Linux on x64 and arm64" >&2
  exit 1
}
cp package-lock.json "$stamp-$what"

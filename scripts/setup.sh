#!/bin/sh
# Makes a fresh checkout ready: locked dependencies, and with them the Node that Kith runs on (npm's node-linux-*
# packages), whatever Node the machine has. Does nothing when it was done for this lockfile.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.kith-setup
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then exit 0; fi
for tool in git tar bash; do
  command -v "$tool" >/dev/null || { echo "Kith needs \"$tool\": install it first (Debian: apt install $tool)" >&2; exit 1; }
done
echo "Installing dependencies (once)..." >&2
npm ci --no-audit --no-fund --loglevel=error >&2
node_modules/.bin/node -e 'if (Number(process.versions.node.split(".")[0]) < 24) process.exit(1)' || {
  echo "Kith needs Node 24 and found $(node --version); npm has packages of it for Linux on x64 and arm64" >&2
  exit 1
}
cp package-lock.json "$stamp"

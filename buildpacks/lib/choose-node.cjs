// choose-node.cjs NPM_DIR DEFAULT_RANGE PACKAGE_JSON [VERSION]: prints ARCH NODE NPM RANGE. RANGE is what engines.node of
// PACKAGE_JSON ("-": none) asks for. NODE is VERSION or, where it fits, the Node that runs this; else "-". NPM is the
// version of npm to go with it, "-" where there is none. Fails where PACKAGE_JSON is no JSON.
const { readFileSync } = require('node:fs');

const [npmDir, defaultRange, manifest, asked] = process.argv.slice(2);
const { version, engines } = JSON.parse(readFileSync(`${npmDir}/package.json`, 'utf8'));

function wantedRange() {
  if (manifest === '-') return defaultRange;
  try {
    return JSON.parse(readFileSync(manifest, 'utf8'))?.engines?.node ?? defaultRange;
  } catch {
    return process.exit(1);
  }
}

/** By npm's own rules; false where this npm does not come whole. */
function fits(node, range) {
  try {
    return require(`${npmDir}/node_modules/semver`).satisfies(node, range);
  } catch {
    return false;
  }
}

function npmFor(node) {
  if (fits(node, engines?.node ?? '*')) return version;
  const major = Number(node.split('.')[0]);
  if (major >= 18) return '10.9.4';
  return major >= 16 ? '8.19.4' : '-';
}

const range = String(wantedRange());
const node = asked ?? (fits(process.versions.node, range) ? process.versions.node : '-');
console.log(process.arch, node, node === '-' ? '-' : npmFor(node), range);

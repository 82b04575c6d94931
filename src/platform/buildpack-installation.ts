export type BuildpackInstallationResource = {
  readonly ordinal: number;
  readonly buildpack: { readonly url: string; readonly name: string };
};

const REGISTRY_PREFIX = 'urn:buildpack:';

export function buildpackInstallations(
  buildpacks: readonly string[],
): readonly BuildpackInstallationResource[] {
  return buildpacks.map((url, ordinal) => ({ ordinal, buildpack: buildpackRef(url) }));
}

export function buildpackRef(url: string): { readonly url: string; readonly name: string } {
  return { url, name: url.startsWith(REGISTRY_PREFIX) ? url.slice(REGISTRY_PREFIX.length) : url };
}

import { PlatformError } from '../../src/errors.ts';

/** A layer that a buildpack asks for: a folder below `/app`, and what is to be in it. */
export type LayerWish = {
  /** Name of the buildpack of ours that makes it. */
  readonly buildpack: string;
  readonly path: string;
  /** All that its content depends on, e.g. `node-24.21.0-npm-11.19.1-x64`. */
  readonly key: string;
};

const LINE = /^(\.kith\/[a-z0-9-]{1,40}) ([a-z0-9][A-Za-z0-9._-]{0,120})$/;

/**
 * Reads a line `PATH KEY` that `bin/layers` printed.
 * @throws PlatformError `build_failed` for anything else
 */
export function parseLayerWish(buildpack: string, line: string): LayerWish {
  const [, path, key] = LINE.exec(line) ?? [];
  if (path !== undefined && key !== undefined) return { buildpack, path, key };
  throw new PlatformError(
    'build_failed',
    `Buildpack "${buildpack}" asks for a layer by "${line.slice(0, 200)}": expected ".kith/NAME KEY"`,
  );
}

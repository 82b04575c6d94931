import { randomUUID } from 'node:crypto';
import { DEFAULT_SIZE } from '../../src/dyno-sizes.ts';
import type { AppId, DynoId } from '../../src/ids.ts';
import type { DynoSpec } from '../../src/shell/runtime.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';

/** A dyno of its own app, without port, config or client, unless `more` says so. */
export function dynoSpec(slug: SlugFiles, command: string, more: Partial<DynoSpec> = {}): DynoSpec {
  return {
    dyno: randomUUID() as DynoId,
    app: randomUUID() as AppId,
    name: 'worker.1',
    command,
    slug,
    env: {},
    web: false,
    size: DEFAULT_SIZE,
    volumes: [],
    attach: null,
    labels: {},
    ...more,
  };
}

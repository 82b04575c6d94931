import { z } from 'zod';
import type { SetupId } from '../../ids.ts';
import {
  UUID,
  app,
  blob,
  bytes,
  configKey,
  count,
  matching,
  name,
  pipeline,
  text,
  user,
} from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { SetupBody } from './setup-types.ts';

const setup = matching<SetupId>(UUID);

export const setupBodies: BodySchemas<SetupBody> = {
  'setup.create': z.object({
    app,
    setup,
    build: name,
    source: blob,
    version: text(200).nullable(),
    env: z.record(configKey, bytes),
    buildpacks: z.array(text(2_000)).max(100).nullable(),
    review: z.object({ pipeline, branch: text(500), prNumber: count.nullable() }).nullable(),
    user,
  }),
  'setup.settle': z.object({
    app,
    setup,
    status: z.enum(['succeeded', 'failed']),
    reason: text(2_000).nullable(),
    manifestErrors: z.array(text(1_000)).max(100),
    postdeploy: z.object({ exitCode: z.number().int().nullable(), output: text(100_000) }).nullable(),
  }),
};

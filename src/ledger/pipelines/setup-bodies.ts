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

/** Why a setup failed; an app.json can have more flaws than fit. */
export const REASON_CHARS_MAX = 2_000;
export const ERROR_CHARS_MAX = 1_000;
export const ERRORS_MAX = 100;

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
    reason: text(REASON_CHARS_MAX).nullable(),
    manifestErrors: z.array(text(ERROR_CHARS_MAX)).max(ERRORS_MAX),
    postdeploy: z.object({ exitCode: z.number().int().nullable(), output: text(100_000) }).nullable(),
  }),
};

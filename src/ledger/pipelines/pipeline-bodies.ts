import { z } from 'zod';
import type { PromotionId } from '../../ids.ts';
import {
  UUID,
  app,
  bytes,
  configKey,
  count,
  matching,
  name,
  opId,
  pipeline,
  text,
  user,
} from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import { slug } from '../releases/release-bodies.ts';
import { STAGES } from './pipeline-types.ts';
import type { PipelineBody } from './pipeline-types.ts';

const promotion = matching<PromotionId>(UUID);
const stage = z.enum(STAGES);

export const pipelineBodies: BodySchemas<PipelineBody> = {
  'pipeline.set': z.object({ pipeline, name, owner: user }),
  'pipeline.remove': z.object({ pipeline }),
  'pipeline.config': z.object({ pipeline, stage, config: z.record(configKey, bytes.nullable()) }),
  'pipeline.review': z.object({
    pipeline,
    review: z
      .object({ baseName: name.nullable(), destroysStale: z.boolean(), staleDays: count.max(1_000) })
      .nullable(),
  }),
  'coupling.set': z.object({ app, coupling: z.object({ pipeline, stage }).nullable() }),
  'promotion.create': z.object({
    promotion,
    pipeline,
    source: app,
    release: opId,
    slug,
    description: text(2_000),
    targets: z.array(app).min(1).max(100),
    user,
  }),
};

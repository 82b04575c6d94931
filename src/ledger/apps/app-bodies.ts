import { z } from 'zod';
import { APP_NAME_PATTERN } from '../../ids.ts';
import type { AppName } from '../../ids.ts';
import { app, count, matching, name, processType, request, text, user } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { AppBody } from './app-types.ts';

const appName = matching<AppName>(APP_NAME_PATTERN);

export const appBodies: BodySchemas<AppBody> = {
  'app.create': z.object({ app, name: appName, owner: user, request }),
  'app.update': z.object({
    app,
    name: appName.exactOptional(),
    owner: user.exactOptional(),
    maintenance: z.boolean().exactOptional(),
    features: z.record(name, z.boolean()).exactOptional(),
  }),
  'app.destroy': z.object({ app }),
  'formation.scale': z.object({
    app,
    type: processType,
    quantity: count.max(100_000),
    size: text(64),
    user,
  }),
  'formation.restart': z.object({
    app,
    type: processType.nullable(),
    index: z.number().int().min(1).nullable(),
    user,
  }),
  'buildpacks.set': z.object({ app, buildpacks: z.array(text(2_000)).max(100) }),
};

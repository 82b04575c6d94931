import { z } from 'zod';
import type { DrainId } from '../../ids.ts';
import { UUID, addon, app, bytes, matching, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { DrainBody } from './drain-types.ts';

const drain = matching<DrainId>(UUID);

export const drainBodies: BodySchemas<DrainBody> = {
  'drain.add': z.object({ app, drain, token: text(100), url: bytes, addon: addon.nullable() }),
  'drain.remove': z.object({ app, drain }),
};

import { z } from 'zod';
import { get, patch } from '../endpoint.ts';
import { dynoSize, processType } from '../fields.ts';

/** `2`, `"2"`, or relative: `"+1"`, `"-1"`. */
const QUANTITY_RULE = 'must be a whole number like 2, or relative like "+1"';
const quantity = z.union(
  [z.int().min(0).max(10_000), z.string().regex(/^[+-]?\d{1,5}$/, QUANTITY_RULE)],
  QUANTITY_RULE,
);
const update = z.object({ quantity: quantity.optional(), size: dynoSize.optional() });
const updates = z.array(update.extend({ type: processType }));

export const formationEndpoints = {
  list: get('/apps/:app/formation', {
    title: 'List process types and how many dynos each has',
    needs: 'view',
  }),
  updateAll: patch('/apps/:app/formation', {
    title: 'Scale several process types',
    needs: 'operate',
    body: z.object({ updates: updates.min(1).max(100) }),
  }),
  info: get('/apps/:app/formation/:type', { title: 'Show a process type', needs: 'view' }),
  update: patch('/apps/:app/formation/:type', {
    title: 'Scale a process type',
    needs: 'operate',
    body: update,
  }),
};

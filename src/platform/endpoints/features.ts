import { z } from 'zod';
import { get, patch } from '../endpoint.ts';

export const featureEndpoints = {
  list: get('/apps/:app/features', { title: 'List what can be switched on for an app', needs: 'view' }),
  info: get('/apps/:app/features/:feature', { title: 'Show a feature', needs: 'view' }),
  update: patch('/apps/:app/features/:feature', {
    title: 'Switch a feature on or off',
    needs: 'operate',
    body: z.object({ enabled: z.boolean() }),
  }),
};

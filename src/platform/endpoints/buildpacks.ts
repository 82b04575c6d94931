import { z } from 'zod';
import { get, put } from '../endpoint.ts';
import { label } from '../fields.ts';

const update = z.object({ updates: z.array(z.object({ buildpack: label(2_000) })).max(50) });

export const buildpackEndpoints = {
  list: get('/apps/:app/buildpack-installations', { title: 'List the buildpacks of an app', needs: 'view' }),
  update: put('/apps/:app/buildpack-installations', {
    title: 'Set the buildpacks of an app',
    needs: 'deploy',
    body: update,
  }),
};

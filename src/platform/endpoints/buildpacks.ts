import { z } from 'zod';
import { get, put } from '../endpoint.ts';
import { label } from '../fields.ts';

// What the official CLI could not find in the registry it sends as nothing at all.
const buildpack = z
  .string({ error: 'no buildpack has that name: any but ours goes by its URL' })
  .pipe(label(2_000));
const update = z.object({ updates: z.array(z.object({ buildpack })).max(50) });

export const buildpackEndpoints = {
  list: get('/apps/:app/buildpack-installations', { title: 'List the buildpacks of an app', needs: 'view' }),
  update: put('/apps/:app/buildpack-installations', {
    title: 'Set the buildpacks of an app',
    needs: 'deploy',
    body: update,
  }),
  registered: get('/buildpacks/:name', { title: 'Look a buildpack up by its name', needs: 'nothing' }),
};

import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { appName, configKey, envValue, label } from '../fields.ts';
import { ref } from './pipelines.ts';

const sourceBlob = z.object({
  url: z.string().min(1).max(4_096),
  version: label(200).nullish(),
  checksum: label(200).nullish(),
});
const buildpack = z.union([label(2_000), z.object({ url: label(2_000) }).transform(({ url }) => url)]);
const create = z.object({
  source_blob: sourceBlob,
  app: z.object({ name: appName.nullish(), stack: ref.nullish() }).nullish(),
  overrides: z
    .object({
      env: z.record(configKey, envValue).nullish(),
      buildpacks: z.array(buildpack).max(20).nullish(),
    })
    .nullish(),
});

/** `repo` and `wait_for_ci` are taken for Heroku's clients' sake: there is no GitHub here. */
const reviewConfig = z.object({
  base_name: label(20).nullish(),
  automatic_review_apps: z.boolean().nullish(),
  destroy_stale_apps: z.boolean().nullish(),
  stale_days: z.int().min(1).max(365).nullish(),
});
const createReview = z.object({
  branch: label(500),
  pipeline: ref,
  source_blob: sourceBlob,
  environment: z.record(configKey, envValue).nullish(),
  pr_number: z
    .int()
    .min(1)
    .max(2 ** 31)
    .nullish(),
});

export const appSetupEndpoints = {
  create: post('/app-setups', {
    title: 'Make an app from an archive and its app.json',
    needs: 'member',
    body: create,
    status: 202,
  }),
  info: get('/app-setups/:setup', { title: 'Show an app setup', needs: 'user' }),
  output: get('/app-setups/:setup/output', {
    title: 'Read what the build of a setup writes',
    needs: 'user',
    isStream: true,
  }),
};

export const reviewAppEndpoints = {
  showConfig: get('/pipelines/:pipeline/review-app-config', {
    title: 'Show how review apps are made',
    needs: 'user',
  }),
  enable: post('/pipelines/:pipeline/review-app-config', {
    title: 'Switch review apps on',
    needs: 'user',
    body: reviewConfig,
  }),
  updateConfig: patch('/pipelines/:pipeline/review-app-config', {
    title: 'Change how review apps are made',
    needs: 'user',
    body: reviewConfig,
  }),
  disable: del('/pipelines/:pipeline/review-app-config', { title: 'Switch review apps off', needs: 'user' }),
  repo: get('/pipelines/:pipeline/repo', { title: 'Show where review apps come from', needs: 'user' }),
  branch: get('/pipelines/:pipeline/repo/branches/:branch', { title: 'Show a branch', needs: 'user' }),
  create: post('/review-apps', { title: 'Make a review app', needs: 'user', body: createReview }),
  info: get('/review-apps/:review', { title: 'Show a review app', needs: 'user' }),
  destroy: del('/review-apps/:review', { title: 'Destroy a review app', needs: 'user', status: 202 }),
  list: get('/pipelines/:pipeline/review-apps', { title: 'List review apps', needs: 'user' }),
  ofApp: get('/apps/:app/review-app', { title: 'Show what an app reviews', needs: 'view' }),
};

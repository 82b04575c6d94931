import { z } from 'zod';
import { STAGES } from '../../ledger/pipelines/pipeline-types.ts';
import { del, get, patch, post } from '../endpoint.ts';
import { configKey, envValue, label } from '../fields.ts';

const pipelineName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{2,29}$/, 'must start with a letter and have 3 to 30 lower-case letters, digits, -');
const owner = z.object({ id: label(320), type: z.enum(['user', 'team', 'enterprise-account']).nullish() });
/** Heroku's clients name things by a text, or by an object with an id or a name. */
export const ref = z
  .union([label(320), z.object({ id: label(320) }), z.object({ name: label(320) })])
  .transform((named): string => (typeof named === 'string' ? named : 'id' in named ? named.id : named.name));

/** `generation` is taken for Heroku's clients' sake. */
const create = z.object({ name: pipelineName, owner: owner.nullish() });
const update = z.object({ name: pipelineName.optional() });
const transfer = z.object({ pipeline: ref, new_owner: owner });
const couple = z.object({ app: ref, pipeline: ref, stage: z.enum(STAGES) });
const move = z.object({ stage: z.enum(STAGES) });
const ofApp = z.object({ app: z.object({ id: label(200) }) });
const promote = z.object({
  pipeline: z.object({ id: label(200) }),
  source: ofApp,
  targets: z.array(ofApp).max(100),
});
const filterApps = z.object({
  in: z.object({
    id: z.array(label(200)).max(1_000).optional(),
    name: z.array(label(200)).max(1_000).optional(),
  }),
});
const setConfig = z.record(configKey, envValue.nullable());

export const pipelineEndpoints = {
  list: get('/pipelines', { title: 'List pipelines', needs: 'user' }),
  create: post('/pipelines', { title: 'Make a pipeline', needs: 'member', body: create }),
  info: get('/pipelines/:pipeline', { title: 'Show a pipeline', needs: 'user' }),
  update: patch('/pipelines/:pipeline', { title: 'Rename a pipeline', needs: 'user', body: update }),
  destroy: del('/pipelines/:pipeline', { title: 'Remove a pipeline; its apps stay', needs: 'user' }),
  transfer: post('/pipeline-transfers', {
    title: 'Give a pipeline to another user',
    needs: 'user',
    body: transfer,
  }),
  stages: get('/pipeline-stages', { title: 'List the stages of pipelines', needs: 'user' }),
  config: get('/pipelines/:pipeline/stage/:stage/config-vars', {
    title: 'Show the config vars that apps of a stage start with',
    needs: 'user',
    isProtected: true,
  }),
  setConfig: patch('/pipelines/:pipeline/stage/:stage/config-vars', {
    title: 'Set the config vars that apps of a stage start with',
    needs: 'user',
    body: setConfig,
    isProtected: true,
  }),
  latestReleases: get('/pipelines/:pipeline/latest-releases', {
    title: 'List what the apps of a pipeline run',
    needs: 'user',
  }),
};

export const couplingEndpoints = {
  list: get('/pipeline-couplings', { title: 'List couplings', needs: 'user' }),
  listOfPipeline: get('/pipelines/:pipeline/pipeline-couplings', {
    title: 'List the apps of a pipeline',
    needs: 'user',
  }),
  ofApp: get('/apps/:app/pipeline-couplings', { title: "Show an app's pipeline", needs: 'view' }),
  create: post('/pipeline-couplings', { title: 'Add an app to a pipeline', needs: 'user', body: couple }),
  info: get('/pipeline-couplings/:coupling', { title: 'Show a coupling', needs: 'user' }),
  update: patch('/pipeline-couplings/:coupling', {
    title: 'Move an app to another stage',
    needs: 'user',
    body: move,
  }),
  destroy: del('/pipeline-couplings/:coupling', { title: 'Take an app out of its pipeline', needs: 'user' }),
  filterApps: post('/filters/apps', {
    title: 'List apps by id or name',
    needs: 'user',
    body: filterApps,
    status: 200,
    scope: 'read',
  }),
};

export const promotionEndpoints = {
  create: post('/pipeline-promotions', {
    title: 'Release what an app runs at other apps of its pipeline',
    needs: 'user',
    body: promote,
  }),
  info: get('/pipeline-promotions/:promotion', { title: 'Show a promotion', needs: 'user' }),
  targets: get('/pipeline-promotions/:promotion/promotion-targets', {
    title: "List a promotion's targets",
    needs: 'user',
  }),
};

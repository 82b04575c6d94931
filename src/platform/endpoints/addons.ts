import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { configKey, envValue, label } from '../fields.ts';

const name = label(100);
/** The CLI names things by strings or by records, as it likes. */
const named = z.union([name, z.object({ id: name.optional(), name: name.optional() })]);
const attachmentName = z
  .string()
  .max(100)
  .transform((text) => text.toUpperCase().replaceAll('-', '_'));

const optionValue = z.union([envValue.max(10_000), z.number(), z.boolean()]).transform(String);

const create = z.object({
  plan: named,
  name: name.nullish(),
  attachment: z.object({ name: attachmentName.nullish() }).nullish(),
  config: z.record(label(100), optionValue).nullish(),
  confirm: name.nullish(),
});
const update = z.object({ plan: named.nullish(), name: name.nullish() });
const destroy = z.object({ force: z.boolean().nullish() });
const resolve = z.object({ addon: name, addon_service: named.nullish(), app: name.nullish() });
const attach = z.object({
  addon: named,
  app: named,
  name: attachmentName.nullish(),
  namespace: name.nullish(),
  confirm: name.nullish(),
  force: z.boolean().nullish(),
});
const resolveAttachment = z.object({
  addon_attachment: name,
  addon_service: named.nullish(),
  app: name.nullish(),
});
const config = z.object({
  config: z.array(z.object({ name: configKey, value: envValue.nullable() })).max(100),
});

export const addonEndpoints = {
  all: get('/addons', { title: 'List add-ons of all apps', needs: 'user' }),
  list: get('/apps/:app/addons', { title: 'List add-ons', needs: 'view' }),
  create: post('/apps/:app/addons', { title: 'Create an add-on', needs: 'operate', body: create }),
  info: get('/apps/:app/addons/:addon', { title: 'Show an add-on', needs: 'view' }),
  update: patch('/apps/:app/addons/:addon', {
    title: 'Change the plan or the name of an add-on',
    needs: 'operate',
    body: update,
  }),
  destroy: del('/apps/:app/addons/:addon', { title: 'Destroy an add-on', needs: 'operate', body: destroy }),
  show: get('/addons/:addon', { title: 'Show an add-on by its name', needs: 'user', isForProviders: true }),
  sso: get('/addons/:addon/sso', {
    title: "Show the way to an add-on's own page",
    needs: 'user',
    isProtected: true,
  }),
  resolve: post('/actions/addons/resolve', {
    title: 'Find add-ons by whatever they are called',
    needs: 'user',
    scope: 'read',
    body: resolve,
    status: 200,
  }),
  config: get('/addons/:addon/config', {
    title: 'Show the config vars of an add-on',
    needs: 'user',
    isForProviders: true,
    isProtected: true,
  }),
  namespaceConfig: get('/addons/:addon/config/:namespace', {
    title: 'Show the config vars of a part of an add-on',
    needs: 'user',
    isForProviders: true,
    isProtected: true,
  }),
  setConfig: patch('/addons/:addon/config', {
    title: 'Change the config vars of an add-on, as its provider',
    needs: 'user',
    isForProviders: true,
    body: config,
    isProtected: true,
  }),
  provisioned: post('/addons/:addon/actions/provision', {
    title: 'Say that an add-on is ready, as its provider',
    needs: 'user',
    isForProviders: true,
    status: 200,
  }),
  deprovisioned: post('/addons/:addon/actions/deprovision', {
    title: 'Say that an add-on could not be made, as its provider',
    needs: 'user',
    isForProviders: true,
    status: 200,
  }),
};

export const attachmentEndpoints = {
  all: get('/addon-attachments', { title: 'List attachments of all apps', needs: 'user' }),
  create: post('/addon-attachments', { title: 'Attach an add-on to an app', needs: 'user', body: attach }),
  show: get('/addon-attachments/:attachment', { title: 'Show an attachment by its id', needs: 'user' }),
  destroy: del('/addon-attachments/:attachment', { title: 'Detach an add-on', needs: 'user' }),
  list: get('/apps/:app/addon-attachments', { title: 'List attachments', needs: 'view' }),
  info: get('/apps/:app/addon-attachments/:attachment', { title: 'Show an attachment', needs: 'view' }),
  ofAddon: get('/addons/:addon/addon-attachments', {
    title: 'List where an add-on is attached',
    needs: 'user',
  }),
  resolve: post('/actions/addon-attachments/resolve', {
    title: 'Find attachments by whatever they are called',
    needs: 'user',
    scope: 'read',
    body: resolveAttachment,
    status: 200,
  }),
};

export const addonServiceEndpoints = {
  list: get('/addon-services', { title: 'List add-on services', needs: 'user' }),
  info: get('/addon-services/:service', { title: 'Show an add-on service', needs: 'user' }),
  plans: get('/addon-services/:service/plans', { title: 'List plans of a service', needs: 'user' }),
  plan: get('/addon-services/:service/plans/:plan', { title: 'Show a plan of a service', needs: 'user' }),
  /** The body is a form or JSON: `grant_type`, `code` or `refresh_token`, `client_secret`. */
  token: post('/oauth/token', {
    title: "Exchange an add-on's grant for tokens, as its provider",
    needs: 'nothing',
    status: 200,
  }),
};

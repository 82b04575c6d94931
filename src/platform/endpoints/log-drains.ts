import { z } from 'zod';
import { parseDrainUrl } from '../../drain-url.ts';
import { PlatformError } from '../../errors.ts';
import { del, get, post, put } from '../endpoint.ts';

/** Says what is wrong with it, without repeating it: it may hold a password. */
const drainUrl = z.string().check((context) => {
  try {
    parseDrainUrl(context.value);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const message = `${error.message}. ${error.hint ?? ''}`;
    context.issues.push({ code: 'custom', message, input: '' });
  }
});
const create = z.object({ url: drainUrl });
const update = z.object({ url: drainUrl });

/** `:drain` is an id, a token or a URL. */
export const logDrainEndpoints = {
  list: get('/apps/:app/log-drains', { title: 'List log drains', needs: 'view' }),
  create: post('/apps/:app/log-drains', {
    title: "Send an app's log somewhere",
    needs: 'operate',
    body: create,
  }),
  info: get('/apps/:app/log-drains/:drain', { title: 'Show a log drain', needs: 'view' }),
  update: put('/apps/:app/log-drains/:drain', {
    title: 'Give a log drain another URL',
    needs: 'operate',
    body: update,
  }),
  destroy: del('/apps/:app/log-drains/:drain', {
    title: "Send an app's log somewhere no more",
    needs: 'operate',
  }),
};

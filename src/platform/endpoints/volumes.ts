import { z } from 'zod';
import { del, get, patch, post, put } from '../endpoint.ts';
import { label } from '../fields.ts';

const create = z.object({ name: label(100), peer: label(200).nullish() });
const update = z.object({ mount: z.object({ type: label(128), path: label(1_000) }).nullable() });
const move = z.object({ peer: label(200) });
const store = z.object({ peer: label(200) });
const restoreBackup = z.object({ backup: label(100) });

export const volumeEndpoints = {
  list: get('/kith/apps/:app/volumes', { title: 'List volumes', needs: 'view' }),
  create: post('/kith/apps/:app/volumes', { title: 'Make a volume', needs: 'operate', body: create }),
  info: get('/kith/apps/:app/volumes/:volume', { title: 'Show a volume', needs: 'view' }),
  update: patch('/kith/apps/:app/volumes/:volume', {
    title: 'Mount a volume',
    needs: 'operate',
    body: update,
  }),
  destroy: del('/kith/apps/:app/volumes/:volume', { title: 'Destroy a volume', needs: 'operate' }),
  move: post('/kith/apps/:app/volumes/:volume/move', {
    title: 'Move a volume to another peer',
    needs: 'operate',
    body: move,
    status: 200,
  }),
  backup: get('/kith/apps/:app/volumes/:volume/backup', {
    title: 'Download a volume',
    needs: 'operate',
    isStream: true,
    isProtected: true,
  }),
  restore: put('/kith/apps/:app/volumes/:volume/restore', {
    title: 'Replace a volume by a backup',
    needs: 'operate',
  }),
  backups: get('/kith/apps/:app/volume-backups', { title: 'List backups of volumes', needs: 'view' }),
  store: post('/kith/apps/:app/volumes/:volume/backups', {
    title: 'Have a peer keep a backup of a volume',
    needs: 'operate',
    body: store,
  }),
  restoreBackup: post('/kith/apps/:app/volumes/:volume/restore', {
    title: 'Replace a volume by a backup that a peer keeps',
    needs: 'operate',
    body: restoreBackup,
    status: 200,
  }),
  forget: del('/kith/apps/:app/volume-backups/:backup', {
    title: 'Give up a backup that a peer keeps',
    needs: 'operate',
  }),
};

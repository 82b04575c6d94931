import { z } from 'zod';
import type { BackupId, VolumeId } from '../../ids.ts';
import { UUID, app, blob, count, matching, name, peer, processType, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { VolumeBody } from './volume-types.ts';

const volume = matching<VolumeId>(UUID);
/** Folders are named by it. */
const copy = matching<string>(/^[0-9a-f]{16}$/);
const place = z.object({ peer, copy });
const backup = matching<BackupId>(/^[0-9a-f]{8}$/);

export const volumeBodies: BodySchemas<VolumeBody> = {
  'volume.create': z.object({ app, volume, name, place }),
  'volume.mount': z.object({
    app,
    volume,
    mount: z.object({ type: processType, path: text(1_000) }).nullable(),
  }),
  'volume.hold': z.object({ app, volume, why: z.enum(['move', 'backup', 'restore']).nullable() }),
  'volume.move': z.object({ app, volume, to: place, from: place }),
  'volume.ready': z.object({ app, volume, copy }),
  'volume.backup': z.object({
    app,
    volume,
    backup,
    kept: z.object({ peer, archive: blob, bytes: count }).nullable(),
  }),
  'volume.destroy': z.object({ app, volume }),
};

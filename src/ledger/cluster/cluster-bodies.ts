import { z } from 'zod';
import { blob, bytes, count, name, peer, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { ClusterBody } from './cluster-types.ts';

export const clusterBodies: BodySchemas<ClusterBody> = {
  'cluster.found': z.object({ name, caCert: text(65_536), caKey: bytes }),
  'member.admit': z.object({ peer, invite: name.nullable(), name }),
  'member.remove': z.object({ peer, cut: z.record(text(64), z.number().int().min(-1)) }),
  'stack.set': z.object({ name, arch: text(32), blob, bytes: count }),
};

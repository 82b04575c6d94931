import { z } from 'zod';
import { ROLES, completePermissions } from '../../rights.ts';
import { app, name, text, user } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { AccessBody } from './access-types.ts';

export const accessBodies: BodySchemas<AccessBody> = {
  'invite.create': z.object({ invite: name, secretHash: text(200), expiresAt: z.number() }),
  'key.rotate': z.object({ key: name }),
  'token.create': z.object({
    token: name,
    hash: text(200),
    user,
    description: text(2_000),
    scopes: z.array(text(64)).max(32).exactOptional(),
    expiresAt: z.number().exactOptional(),
  }),
  'token.update': z.object({
    token: name,
    description: text(2_000).exactOptional(),
    hash: text(200).exactOptional(),
    expiresAt: z.number().nullable().exactOptional(),
  }),
  'token.revoke': z.object({ token: name }),
  // A role that only newer agents know is none here: too little rather than too much.
  'user.set': z.object({ user, role: z.enum(ROLES).nullable().catch(null) }),
  'collaborator.set': z.object({
    app,
    user,
    permissions: z.array(text(64)).max(32).transform(completePermissions).nullable(),
  }),
};

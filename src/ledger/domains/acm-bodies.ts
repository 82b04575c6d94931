import { z } from 'zod';
import { app, bytes, name, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { AcmBody } from './acm-types.ts';

/** RFC 8555 8.1: both become part of HTTP as they are. */
const token = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const authorization = z.string().regex(/^[A-Za-z0-9_.-]{1,256}$/);

/** How many orders of one domain may be under way: one as a rule, two where two peers think that it is theirs. */
export const CHALLENGES_MAX = 4;

/** The bodies of ops that are about automatic certificates, as they are read. */
export const acmBodies: BodySchemas<AcmBody> = {
  'acme.set': z.object({
    directory: text(2_000),
    email: text(320).nullable(),
    ca: text(65_536).nullable(),
    key: bytes,
  }),
  'acm.set': z.object({ app, on: z.boolean() }),
  'acme.challenge': z.object({
    app,
    domain: name,
    challenges: z.array(z.object({ token, authorization, expiresAt: z.number() })).max(CHALLENGES_MAX),
  }),
  'acm.fail': z.object({
    app,
    domain: name,
    failure: z
      .object({
        reason: text(1_000),
        status: z.enum(['failing', 'failed']),
        notBefore: z.number().nullable(),
      })
      .nullable(),
  }),
};

import { z } from 'zod';
import { app, bytes, cert, name, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { CertBody } from './cert-types.ts';

export const certBodies: BodySchemas<CertBody> = {
  'cert.set': z.object({
    app,
    cert,
    name: text(30),
    displayName: text(200).nullable(),
    chain: text(65_536),
    key: bytes,
    facts: z.object({
      names: z.array(text(253)).max(1_000),
      startsAt: z.number(),
      expiresAt: z.number(),
      issuer: text(4_096),
      subject: text(4_096),
      trusted: z.boolean(),
    }),
    acm: name.exactOptional(),
  }),
  'cert.remove': z.object({ app, cert }),
};

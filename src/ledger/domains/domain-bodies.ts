import { z } from 'zod';
import { app, cert, matching, name } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { DomainBody } from './domain-types.ts';

const hostname = matching<string>(/^(?=.{1,253}$)(?:\*\.)?[a-z0-9.-]+$/);

export const domainBodies: BodySchemas<DomainBody> = {
  'domain.add': z.object({ app, hostname, domain: name }),
  'domain.remove': z.object({ app, hostname }),
  'domain.update': z.object({ app, domain: name, cert: cert.nullable() }),
};

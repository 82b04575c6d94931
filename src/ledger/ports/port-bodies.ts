import { z } from 'zod';
import { app, processType } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import { PORT_NUMBER_MAX, PORT_NUMBER_MIN } from './port-types.ts';
import type { PortBody } from './port-types.ts';

const time = z.number().int().nonnegative();
const seen = z.object({ ms: time, n: time });
const number = z.number().int().min(PORT_NUMBER_MIN).max(PORT_NUMBER_MAX);

export const portBodies: BodySchemas<PortBody> = {
  'port.set': z.object({ app, type: processType, number: number.nullable(), seen: seen.optional() }),
};

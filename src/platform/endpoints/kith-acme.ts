import { z } from 'zod';
import { get, put } from '../endpoint.ts';

const directory = z
  .string()
  .max(2_000)
  .refine((text) => text.startsWith('https://') && URL.canParse(text), 'must be an https URL');

/** RFC 8555 has it in a URL, `mailto:`. */
const email = z
  .string()
  .max(320)
  .regex(/^[^\s@:,;<>"]+@[^\s@:,;<>"]+$/, 'must be an e-mail address');

export const acmeEndpoints = {
  info: get('/kith/acme', { title: 'Show where certificates are ordered', needs: 'user' }),
  set: put('/kith/acme', {
    title: 'Say where certificates are ordered, and as whom',
    needs: 'admin',
    body: z.object({
      email: email.nullable(),
      terms_agreed: z.literal(
        true,
        "must be true: whoever orders certificates agrees to the authority's terms",
      ),
      directory_url: directory.optional(),
      ca: z.string().max(60_000).nullable().optional(),
    }),
  }),
};

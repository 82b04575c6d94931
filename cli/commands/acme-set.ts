import { LETS_ENCRYPT, type AcmeResource } from '../../src/platform/acme.ts';
import { printAcme } from '../lib/acme.ts';
import { readPem } from '../lib/certs.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { email: { is: 'optional', summary: 'whom the authority may write to' } },
  flags: {
    agree: { kind: 'boolean', summary: "agree to the authority's terms of service" },
    directory: {
      kind: 'string',
      value: 'URL',
      summary: "the authority's ACME directory; Let's Encrypt unless given",
    },
    ca: {
      kind: 'string',
      value: 'FILE',
      summary: 'PEM of who vouches for the directory, if it is a private one',
    },
  },
  examples: [
    'kith acme:set ops@example.com --agree',
    'kith acme:set --agree --directory https://ca.internal/acme --ca root.pem',
  ],
  details:
    'For the whole cluster, and by an admin. The account with the authority is made with the first order.',
  async run({ api, screen, args, flags, world }) {
    const directory = flags.directory ?? LETS_ENCRYPT;
    if (!flags.agree) {
      throw new UsageError(
        `Whoever orders certificates agrees to the terms of the authority at ${directory}`,
        'Read them, and say --agree',
      );
    }
    const body = {
      email: args.email ?? null,
      terms_agreed: true,
      directory_url: directory,
      ca: flags.ca === undefined ? null : await readPem(flags.ca),
    };
    const acme = await screen.progress('Setting where certificates are ordered', () =>
      api.put<AcmeResource>('/kith/acme', body),
    );
    if (screen.isJson) return screen.json(acme);
    printAcme(screen, acme, world.now());
  },
});

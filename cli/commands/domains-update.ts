import type { DomainResource } from '../../src/platform/domain.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { hostname: { is: 'required', summary: 'www.example.com' } },
  flags: {
    cert: { kind: 'string', value: 'NAME', summary: 'certificate to serve it with; `any`: whichever fits' },
  },
  async run(context) {
    const { api, screen, args, flags } = context;
    if (flags.cert === undefined) {
      throw new UsageError('Nothing was said to change', 'Add --cert NAME; `kith certs` lists them');
    }
    const path = await context.appPath(`/domains/${encodeURIComponent(args.hostname)}`);
    const endpoint = flags.cert === 'any' ? null : flags.cert;
    const domain = await screen.progress(`Updating ${screen.paintErr.green(args.hostname)}`, () =>
      api.patch<DomainResource>(path, { sni_endpoint: endpoint }),
    );
    if (screen.isJson) screen.json(domain);
  },
});

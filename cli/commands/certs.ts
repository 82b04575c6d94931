import { listCerts, trustOf } from '../lib/certs.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const app = await context.app();
    const certs = await listCerts(api, app);
    if (screen.isJson) return screen.json(certs);
    if (certs.length === 0) return screen.line(`No certificates on ${screen.app(app)}`);
    screen.table(
      ['NAME', 'HOST NAMES', 'EXPIRES', 'TRUSTED BY', 'DOMAINS'],
      certs.map((each) => [
        each.name,
        each.ssl_cert.cert_domains.join(', '),
        each.ssl_cert.expires_at.slice(0, 10),
        trustOf(each),
        String(each.domains.length),
      ]),
    );
  },
});

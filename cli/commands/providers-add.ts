import { readFile } from 'node:fs/promises';
import type { ProviderResource } from '../../src/platform/provider.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { fileReason } from '../lib/line/file-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  args: { manifest: { is: 'required', summary: 'a file: addon-manifest.json' } },
  details:
    "The provider is any HTTP service that speaks Heroku's Add-on Partner API, version 3. Its password and SSO salt are sealed in the ledger. Registering it again changes it.",
  async run({ api, screen, args }) {
    const manifest = await readManifest(args.manifest);
    const provider = await screen.progress(`Registering ${args.manifest}`, () =>
      api.post<ProviderResource>('/kith/providers', manifest),
    );
    if (screen.isJson) return screen.json(provider);
    screen.line(`${provider.id} can be added: kith addons:create ${provider.id}:${provider.plans[0] ?? ''}`);
  },
});

async function readManifest(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'it is no valid JSON' : fileReason(cause);
    throw new CliError(`Cannot register "${path}": ${reason}`, { cause });
  }
}

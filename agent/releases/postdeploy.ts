import type { App } from '../../src/ledger/apps/app-types.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import { FRAME, FrameDecoder, parseExit } from '../../src/platform/attach-frames.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { LinePrinter } from './print-lines.ts';

/** What the names of these dynos begin with. */
const TYPE = 'postdeploy';

/** Whether no release before this one has ever run code of this app. */
export function isFirstDeploy(app: App, release: Release): boolean {
  if (release.slug === null || app.current !== release.id) return false;
  return ![...app.releases.values()].some(
    ({ id, slug, status, number }) =>
      id !== release.id && slug !== null && status === 'succeeded' && number <= release.number,
  );
}

/**
 * Runs app.json's `scripts.postdeploy` in a one-off, once: should it break off, its user runs it again.
 * @returns its exit status; null where it has none, or where nobody waits for it
 */
export async function runPostdeploy(
  host: Pick<PeerHost, 'runOneOff'>,
  { app, release }: { readonly app: App; readonly release: Release },
  user: UserEmail,
  print: ((line: string) => void) | null,
  signal: AbortSignal,
): Promise<{ readonly status: number | null } | null> {
  const command = release.slug?.setup?.postdeploy ?? null;
  if (command === null) return null;
  if (print === null) {
    const request = { app: app.id, command, env: {}, size: null, attach: null, type: TYPE };
    await host.runOneOff(request, { user, request: null });
    return null;
  }
  print('Running postdeploy command...');
  print('');
  const status = await run(host, app, command, user, print, signal);
  print('');
  if (status === 0) print('Postdeploy command succeeded.');
  else {
    print(` !     Postdeploy command ${status === null ? 'broke off' : `exited with status ${status}`}`);
    print(
      ` !     The app is deployed all the same. To run it again: kith run '${command.replaceAll("'", String.raw`'\''`)}'`,
    );
  }
  return { status };
}

/** @returns null when it is not known how it ended */
async function run(
  host: Pick<PeerHost, 'runOneOff'>,
  app: App,
  command: string,
  user: UserEmail,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<number | null> {
  const request = { app: app.id, command, env: {}, size: null, attach: { tty: null }, type: TYPE };
  const { attach } = await host.runOneOff(request, { user, request: null });
  if (attach === null) return null;
  const stop = (): void => void attach.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const decoder = new FrameDecoder();
  const output = new LinePrinter(print);
  try {
    for await (const chunk of attach) {
      for (const { type, payload } of decoder.push(chunk as Buffer)) {
        if (type === FRAME.data) output.write(payload);
        if (type !== FRAME.exit) continue;
        output.end();
        return parseExit(payload).status ?? 128;
      }
    }
    return null;
  } finally {
    signal.removeEventListener('abort', stop);
    attach.destroy();
  }
}

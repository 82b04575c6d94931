import { execFile } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { reasonOf, unlessGone, within, type Engine } from '../../lib/engine.ts';
import { ownedBy } from './labels.ts';

const RUN_MS_MAX = 30_000;

/** With what an agent that is not root has the Engine do what only root may. */
export type HostHelper = { readonly engine: Engine; readonly image: string; readonly peer: string };

/**
 * Runs a shell script that changes this host's network: root does it itself, others have the Engine do it.
 * @param args `$1` and so on of the script
 * @throws Error with what the script had to say
 */
export async function runHostScript(
  script: string,
  args: readonly string[],
  helper: HostHelper,
): Promise<void> {
  const argv = ['-c', script, 'kith-guard', ...args];
  try {
    if (process.getuid?.() === 0) {
      await promisify(execFile)('/bin/sh', argv, { timeout: RUN_MS_MAX });
    } else {
      await within(RUN_MS_MAX, 'a change of firewall rules', runInHelper(argv, helper));
    }
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw new Error(stderr?.trim() || reasonOf(cause), { cause });
  }
}

/** A container that sees the host's files and network, for as long as the script takes. */
async function runInHelper(argv: readonly string[], { engine, image, peer }: HostHelper): Promise<void> {
  const container = await engine.createContainer({
    Image: image,
    Entrypoint: ['/usr/sbin/chroot', '/host', '/bin/sh'],
    Cmd: [...argv],
    Labels: ownedBy(peer, 'image'),
    HostConfig: {
      NetworkMode: 'host',
      Binds: ['/:/host'],
      CapDrop: ['ALL'],
      CapAdd: ['NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'],
    },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode === 0) return;
    const said = await container.attach({ stream: false, logs: true, stderr: true });
    throw new Error((await text(said)).trim() || `the helper ended with status ${StatusCode}`);
  } finally {
    await unlessGone(container.remove({ force: true }));
  }
}

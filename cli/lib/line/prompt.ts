import { CliError } from './cli-error.ts';
import type { World } from './world.ts';

const ENTER = ['\r', '\n', '\u0004'];
const BACKSPACE = ['\u007F', '\b'];

/** Asks for a secret: typed unseen on a terminal, else the first line of stdin. */
export async function readSecret(world: World, question: string): Promise<string> {
  return world.stdin.isTTY === true
    ? typeSecret(world, question)
    : ((await readAll(world)).split('\n', 1)[0]?.trim() ?? '');
}

/** Everything that is piped in. */
export async function readAll({ stdin }: World): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function typeSecret({ stdin, stderr }: World, question: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed = '';
  const onData = (data: Buffer): void => {
    for (const key of data.toString('utf8')) {
      if (ENTER.includes(key)) return resolve(typed);
      if (key === '\u0003') return reject(new CliError('Cancelled', { exit: 130 }));
      typed = BACKSPACE.includes(key) ? typed.slice(0, -1) : typed + key;
    }
  };
  stderr.write(question);
  stdin.setRawMode?.(true);
  stdin.on('data', onData);
  stdin.on('end', () => resolve(typed));
  return promise.finally(() => {
    stdin.off('data', onData);
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write('\n');
  });
}

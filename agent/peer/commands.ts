import { randomUUID } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { OpId } from '../../src/ids.ts';
import type { Command, CommandContext, CommandResult } from '../../src/ledger/command.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { PeerLoop } from './peer-loop.ts';

/** Longer than all that the machine may wait for on the way: a home that is silent, then ops that are late. */
const ANSWER_MS = 20_000;

type Waiting = { readonly settle: (result: CommandResult) => void; readonly timer: NodeJS.Timeout };

/** Commands under way: each is answered by the machine, or by the clock. */
export class Commands {
  readonly #disk: DiskWatch | null;
  readonly #waiting = new Map<string, Waiting>();

  /** @param disk asked for room before each write; null trusts the store alone */
  constructor(disk: DiskWatch | null = null) {
    this.#disk = disk;
  }

  /** Throws PlatformError. Resolves with the ops that hold the result. */
  async run(loop: PeerLoop, command: Command, context: CommandContext): Promise<readonly OpId[]> {
    const full = (await this.#disk?.look()) ?? null;
    if (full !== null) throw PlatformError.fromRecord(full);
    const { storeError } = loop;
    if (storeError !== null) {
      throw new PlatformError(
        'disk_full',
        `Cannot write "${command.type}": this peer cannot store anything now`,
        {
          hint: `${storeError.message}; free some space, or ask another peer`,
        },
      );
    }
    const id = randomUUID();
    return await new Promise((resolve, reject) => {
      const settle = (result: CommandResult): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (result.ok) resolve(result.ops);
        else reject(PlatformError.fromRecord(result.error));
      };
      const message = `The write "${command.type}" was not confirmed in time`;
      const late = {
        code: 'timeout',
        message,
        hint: 'It may still be made: look before you repeat it',
      } as const;
      const timer = setTimeout(() => settle({ ok: false, error: late }), ANSWER_MS);
      this.#waiting.set(id, { settle, timer });
      loop.dispatch({ tag: 'command', id, command, context });
    });
  }

  answer(id: string, result: CommandResult): void {
    this.#waiting.get(id)?.settle(result);
  }
}

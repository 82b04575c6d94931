import { PlatformError } from '../../../src/errors.ts';
import { reasonOf } from '../../lib/engine.ts';
import { runHostScript, type HostHelper } from './host-script.ts';
import type { DynoNetwork } from './network.ts';

/**
 * This peer's opening in the guard of the bridge (firewall.ts): a chain of its own, for peers that share an Engine share
 * the bridge and its guard. The chain is replaced whole, in one step. Arguments: the bridge, its gateway, the peer, and
 * the TCP ports; without any, the chain goes.
 */
const SCRIPT = `
set -eu
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
in=KITH-IN-$1 gateway=$2 chain=KITH-TCP-$3; shift 3
if [ $# = 0 ]; then
  iptables -w 10 -n -L "$chain" >/dev/null 2>&1 || exit 0
  while iptables -w 10 -D "$in" -d "$gateway" -p tcp -j "$chain" 2>/dev/null; do :; done
  iptables -w 10 -F "$chain"
  iptables -w 10 -X "$chain"
  exit 0
fi
{
  echo '*filter'
  echo ":$chain - [0:0]"
  for port in "$@"; do echo "-A $chain -p tcp -m tcp --dport $port -j ACCEPT"; done
  echo COMMIT
} | iptables-restore -w 10 --noflush
iptables -w 10 -C "$in" -d "$gateway" -p tcp -j "$chain" 2>/dev/null ||
  iptables -w 10 -I "$in" 1 -d "$gateway" -p tcp -j "$chain"
`;

/** Which TCP ports of the bridge's gateway dynos are let through to. Until it is first told, what is there stays. */
export class PortGate {
  readonly #network: DynoNetwork;
  readonly #helper: HostHelper;
  #wanted: readonly number[] | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(network: DynoNetwork, helper: HostHelper) {
    this.#network = network;
    this.#helper = helper;
  }

  /**
   * These and no others, from now on; also after the host's rules were lost and `restore` ran.
   * @throws PlatformError `unavailable`
   */
  async allow(numbers: readonly number[]): Promise<void> {
    this.#wanted = numbers;
    await this.restore();
  }

  /** Puts in place what was last asked for. */
  async restore(): Promise<void> {
    // One at a time, each with the latest wish: the last to run is right.
    const run = this.#last.then(() => this.#apply());
    this.#last = run.catch(() => {});
    await run;
  }

  async #apply(): Promise<void> {
    if (this.#wanted === null) return;
    const { bridge, gateway } = this.#network;
    try {
      await runHostScript(
        SCRIPT,
        [bridge, gateway, this.#helper.peer, ...this.#wanted.map(String)],
        this.#helper,
      );
    } catch (cause) {
      const message = `Cannot let dynos on "${bridge}" through to internal ports: ${reasonOf(cause)}`;
      throw new PlatformError('unavailable', message, { hint: 'The host needs iptables', cause });
    }
  }
}

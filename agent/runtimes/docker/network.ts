import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { promisify } from 'node:util';
import { PlatformError } from '../../../src/errors.ts';
import { reasonOf, statusOf, type Engine } from '../../lib/engine.ts';

/** A bridge's name is an interface's: 15 characters at most. */
const BRIDGE_CHARS_MAX = 15;
const LABEL_NETWORK = 'kith.network';

export type DynoNetwork = {
  readonly name: string;
  readonly bridge: string;
  /** IPv4 address of this host on the bridge, where dynos may be let through to chosen ports. */
  readonly gateway: string;
  readonly hasIpv6: boolean;
};

/**
 * The network of all dynos of this Engine, made by whichever peer is first. Its bridge has a fixed name, of which there can
 * be only one: of several peers that make it at once all but one fail, and find it made.
 */
export async function ensureNetwork(engine: Engine, name: string): Promise<DynoNetwork> {
  const bridge = `${name}0`.slice(-BRIDGE_CHARS_MAX);
  const found = await findNetwork(engine, name);
  if (found !== null) return found;
  const hasIpv6 = await canIpv6();
  try {
    await engine.createNetwork({
      Name: name,
      CheckDuplicate: true,
      Driver: 'bridge',
      Options: {
        'com.docker.network.bridge.name': bridge,
        'com.docker.network.bridge.enable_icc': 'false',
      },
      Labels: { [LABEL_NETWORK]: 'dynos' },
      ...(hasIpv6 ? { EnableIPv6: true, IPAM: { Config: [{ Subnet: localPrefix(name) }] } } : {}),
    });
  } catch (cause) {
    const made = await findNetwork(engine, name);
    if (made !== null) return made;
    throw cannotMake(name, reasonOf(cause), cause);
  }
  const made = await findNetwork(engine, name);
  if (made === null) throw cannotMake(name, 'it is gone again');
  return made;
}

async function findNetwork(engine: Engine, name: string): Promise<DynoNetwork | null> {
  try {
    const found = (await engine.getNetwork(name).inspect()) as {
      readonly Labels?: Record<string, string> | null;
      readonly Options?: Record<string, string> | null;
      readonly EnableIPv6: boolean;
      readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string }[] | null };
    };
    if (found.Labels?.[LABEL_NETWORK] === undefined) {
      const message = `Cannot use the Docker network "${name}": it was not made by Kith`;
      throw new PlatformError('conflict', message, { hint: `docker network rm ${name}` });
    }
    const bridge = found.Options?.['com.docker.network.bridge.name'] ?? '';
    const gateways = (found.IPAM?.Config ?? []).map(({ Gateway = '' }) => Gateway.split('/')[0] ?? '');
    const gateway = gateways.find((address) => isIPv4(address));
    if (gateway === undefined) {
      const message = `Cannot use the Docker network "${name}": the Engine names no IPv4 gateway of it`;
      throw new PlatformError('unavailable', message, { hint: `docker network rm ${name}` });
    }
    return { name, bridge, gateway, hasIpv6: found.EnableIPv6 };
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

function cannotMake(name: string, reason: string, cause?: unknown): PlatformError {
  const message = `Cannot make the network "${name}" for dynos: ${reason}`;
  return new PlatformError('unavailable', message, { cause });
}

/** Addresses that are this host's alone, the same on every host, from which no packet leaves it. */
function localPrefix(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return `fd6b:6974:68${hash.slice(0, 2)}:${hash.slice(2, 6)}::/64`;
}

/** Only where it can be guarded too. */
async function canIpv6(): Promise<boolean> {
  try {
    const [disabled, guarded] = await Promise.all(
      ['net/ipv6/conf/all/disable_ipv6', 'net/bridge/bridge-nf-call-ip6tables'].map((path) =>
        readFile(`/proc/sys/${path}`, 'utf8'),
      ),
    );
    if (disabled?.trim() !== '0' || guarded?.trim() !== '1') return false;
    if (process.getuid?.() === 0) await promisify(execFile)('ip6tables', ['-w', '10', '-S']);
    return true;
  } catch {
    // No IPv6, no bridge netfilter, or no ip6tables: each means the same.
    return false;
  }
}

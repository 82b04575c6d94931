import { readFileSync } from 'node:fs';
import { PlatformError } from '../../../src/errors.ts';
import { reasonOf } from '../../lib/engine.ts';
import { runHostScript, type HostHelper } from './host-script.ts';

/**
 * Dynos reach the outside, but not each other, not this host (whatever port or address of it: agents, routers, databases),
 * and not where clouds tell machines their secrets. Answers to connections that the host itself opened pass. Each rule is
 * looked for first, so that running this again changes nothing, and never opens a gap. Arguments: the bridge, 1 where it
 * has IPv6, and the host's own name servers.
 */
const SCRIPT = `
set -eu
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
bridge=$1 six=$2; shift 2
in=KITH-IN-$bridge out=KITH-OUT-$bridge
for proc in $(cat /proc/sys/net/bridge/bridge-nf-call-iptables); do [ "$proc" = 1 ]; done
guard() {
  ipt=$1 forward=$2
  has() { $ipt -w 10 -C "$@" 2>/dev/null; }
  add() { has "$@" || $ipt -w 10 -A "$@"; }
  first() { chain=$1; shift; has "$chain" "$@" || $ipt -w 10 -I "$chain" 1 "$@"; }
  $ipt -w 10 -n -L "$in" >/dev/null 2>&1 || $ipt -w 10 -N "$in"
  $ipt -w 10 -n -L "$out" >/dev/null 2>&1 || $ipt -w 10 -N "$out"
}
guard iptables DOCKER-USER
add "$in" -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
for server in "$@"; do
  add "$in" -d "$server" -p udp --dport 53 -j ACCEPT
  add "$in" -d "$server" -p tcp --dport 53 -j ACCEPT
done
add "$in" -j DROP
add "$out" -d 169.254.0.0/16 -j DROP
add "$out" -o "$bridge" -j DROP
first INPUT -i "$bridge" -j "$in"
iptables -w 10 -n -L DOCKER-USER >/dev/null 2>&1 || forward=FORWARD
first "$forward" -i "$bridge" -j "$out"
[ "$six" = 1 ] || exit 0
[ "$(cat /proc/sys/net/bridge/bridge-nf-call-ip6tables)" = 1 ]
guard ip6tables FORWARD
add "$in" -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
add "$in" -p icmpv6 -j ACCEPT
add "$in" -j DROP
add "$out" -o "$bridge" -j DROP
add "$out" -d fd00:ec2::254 -j DROP
first INPUT -i "$bridge" -j "$in"
first FORWARD -i "$bridge" -j "$out"
`;

export type Guarded = { readonly bridge: string; readonly hasIpv6: boolean };

/**
 * Puts the rules in place that keep dynos from this host and from each other. Idempotent; run at each start, and when the
 * Engine was restarted.
 * @throws PlatformError `unavailable` when it cannot be done: dynos must not run then
 */
export async function guardBridge({ bridge, hasIpv6 }: Guarded, helper: HostHelper): Promise<void> {
  try {
    await runHostScript(SCRIPT, [bridge, hasIpv6 ? '1' : '0', ...hostNameServers()], helper);
  } catch (cause) {
    const message = `Cannot guard the network of dynos "${bridge}": ${reasonOf(cause)}`;
    throw new PlatformError('unavailable', message, {
      hint: 'The host needs iptables and the br_netfilter kernel module; or use --runtime process',
      cause,
    });
  }
}

/** IPv4 name servers that are no loopback: one of them may be an address of this host. */
function hostNameServers(): string[] {
  const lines = readFileSync('/etc/resolv.conf', 'utf8').split('\n');
  const found = lines.flatMap((line) => /^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/.exec(line)?.[1] ?? []);
  return found.filter((address) => !address.startsWith('127.'));
}

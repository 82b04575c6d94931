import { appendFileSync } from 'node:fs';
import dns from 'node:dns';
import { Socket } from 'node:net';

/**
 * Loaded into every process of the official CLI (`node --import`): a connection or a name lookup that would leave
 * loopback fails at once, and is written down for the test that caused it.
 */
const report = process.env['KITH_TEST_OUTSIDE'];

function mayGo(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host.startsWith('127.') || host === '::1';
}

function refuse(host: string): Error {
  if (report !== undefined) appendFileSync(report, `${host} by ${process.argv.slice(2).join(' ')}\n`);
  return Object.assign(new Error(`Test traffic stays on loopback: "${host}" is outside`), { code: 'EACCES' });
}

const { connect } = Socket.prototype;
Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]): Socket {
  const [first] = args.flat() as readonly unknown[];
  const host =
    typeof first === 'object' && first !== null && 'host' in first
      ? String(first.host ?? 'localhost')
      : 'localhost';
  if (mayGo(host)) return Reflect.apply(connect, this, args) as Socket;
  return this.destroy(refuse(host));
};

const { lookup } = dns;
type Callback = (error: Error | null, ...rest: unknown[]) => void;
Object.assign(dns, {
  lookup(host: string, ...rest: unknown[]): unknown {
    if (mayGo(host)) return Reflect.apply(lookup, dns, [host, ...rest]);
    const callback = rest.at(-1) as Callback;
    return process.nextTick(callback, refuse(host));
  },
});

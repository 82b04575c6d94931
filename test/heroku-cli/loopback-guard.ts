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

/** Of `connect(options)`, `connect(port, host)`, and the array that Node's own callers make of either. */
function hostOf(args: readonly unknown[]): string {
  const [first, second] = args.flat();
  if (typeof first === 'object' && first !== null && 'host' in first && typeof first.host === 'string')
    return first.host;
  return typeof second === 'string' ? second : 'localhost';
}

const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;
Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  return mayGo(host) ? Reflect.apply(connect, this, args) : this.destroy(refuse(host));
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

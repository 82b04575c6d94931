import type { Socket } from 'node:net';
import { ResponseHeadParser } from '../../src/routing/head-parser.ts';
import { writePortRequest, type PortRequest } from '../../src/routing/port-request.ts';
import { ERROR_HEADER, valueOf } from '../../src/routing/rewrite.ts';
import type { Failure } from './failures.ts';

/**
 * Asks the router at the other end of a link for a connection to one of its dynos.
 * @param done called once: with what the dyno has said already, or why there is no connection; the link is destroyed then
 * @returns gives up without a call
 */
export function askForPort(
  link: Socket,
  request: PortRequest,
  withinMs: number,
  done: (result: Buffer | Failure) => void,
): () => void {
  const parser = new ResponseHeadParser('GET');
  let received: Buffer = Buffer.alloc(0);
  const detach = (): void => {
    clearTimeout(timer);
    link.off('data', onData).off('end', onLost).off('close', onLost);
  };
  const settle = (result: Buffer | Failure): void => {
    detach();
    if (typeof result === 'string') link.destroy();
    else link.pause();
    done(result);
  };
  const onData = (data: Buffer): void => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    const parsed = parser.parse(received);
    if (parsed === null) return;
    if (parsed.tag === 'rejected') return settle('malformed');
    const { head, end } = parsed;
    if (head.status === 101) settle(received.subarray(end));
    else settle(failureOf(valueOf(head.headers, ERROR_HEADER)));
  };
  const onLost = (): void => settle('peer-lost');
  const timer = setTimeout(() => settle('peer-timeout'), withinMs);
  // `error` is always followed by `close`.
  link.on('error', () => {});
  link.on('data', onData).on('end', onLost).on('close', onLost);
  link.write(writePortRequest(request), 'latin1');
  link.resume();
  return () => {
    detach();
    link.destroy();
  };
}

/** A router of an older version takes the request for one over HTTP, and may say anything. */
function failureOf(text: string | null): Failure {
  return text === 'refused' || text === 'timeout' || text === 'no-such-dyno' ? text : 'malformed';
}

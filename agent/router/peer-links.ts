import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import type { PeerId } from '../../src/ids.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import type { Failure } from './failures.ts';
import type { PeerTls } from './peer-tls.ts';
import type { RouterSettings } from './settings.ts';

type IdleLink = {
  readonly peer: PeerId;
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
  readonly drop: () => void;
};

/** A connection to another peer's router; a reused one may have died unseen. */
export type PeerLink = { readonly socket: Socket; readonly isReused: boolean };

/** Connections to other peers' routers: mutual TLS, one request at a time on each, kept for the next one. */
export class PeerLinks {
  readonly #tls: PeerTls;
  readonly #settings: RouterSettings;
  /** Idle connections by peer and address, the latest used last. */
  readonly #idle = new Map<string, IdleLink[]>();

  readonly #checks = new Map<string, ((isThere: boolean) => void)[]>();

  constructor(tls: PeerTls, settings: RouterSettings) {
    this.#tls = tls;
    this.#settings = settings;
  }

  /** A connection to the target's peer, idle or new. Calls back once; the function it returns gives up without a call. */
  acquire(target: RouteTarget, done: (result: PeerLink | Failure) => void): () => void {
    const idle = this.#idle.get(linkKey(target));
    for (let link = idle?.pop(); link !== undefined; link = idle?.pop()) {
      clearTimeout(link.timer);
      if (link.socket.destroyed) continue;
      link.drop();
      done({ socket: link.socket, isReused: true });
      return () => {};
    }
    return this.#connect(target, done);
  }

  /** Whether the target's peer can be reached now; asked once however many requests want to know. */
  check(target: RouteTarget, done: (isThere: boolean) => void): void {
    const key = linkKey(target);
    const waiting = this.#checks.get(key);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.#checks.set(key, [done]);
    this.#connect(target, (result) => {
      const isThere = typeof result !== 'string';
      if (isThere) this.giveBack(target, result.socket);
      const all = this.#checks.get(key) ?? [];
      this.#checks.delete(key);
      for (const each of all) each(isThere);
    });
  }

  /** Takes a connection back after a request that ended cleanly. */
  giveBack(target: RouteTarget, socket: Socket): void {
    const key = linkKey(target);
    let idle = this.#idle.get(key);
    if (idle === undefined) this.#idle.set(key, (idle = []));
    if (idle.length >= this.#settings.idleConnectionsPerPeerMax || socket.destroyed) {
      socket.destroy();
      return;
    }
    const link: IdleLink = {
      peer: target.peer,
      socket,
      timer: setTimeout(() => socket.destroy(), this.#settings.peerIdleMs),
      drop: () => {
        socket.off('close', forget);
        socket.off('end', forget);
        socket.off('data', forget);
        socket.off('error', ignore);
      },
    };
    // An idle peer that says anything is out of step: its connection is closed like one that ended.
    const forget = (): void => {
      clearTimeout(link.timer);
      link.drop();
      socket.on('error', ignore);
      socket.destroy();
      const at = idle.indexOf(link);
      if (at !== -1) idle.splice(at, 1);
      if (idle.length === 0 && this.#idle.get(key) === idle) this.#idle.delete(key);
    };
    socket.on('close', forget);
    socket.on('end', forget);
    socket.on('data', forget);
    socket.on('error', ignore);
    socket.resume();
    idle.push(link);
  }

  /** Closes what is idle to this peer: after one connection broke, the others are no better. */
  dropIdle(peer: PeerId): void {
    for (const [key, links] of this.#idle) {
      if (!key.startsWith(`${peer} `)) continue;
      this.#idle.delete(key);
      for (const link of links) link.socket.destroy();
    }
  }

  /** Closes idle connections to peers that are no members any more. */
  keepOnly(isMember: (peer: PeerId) => boolean): void {
    for (const links of this.#idle.values()) {
      const peer = links[0]?.peer;
      if (peer !== undefined && !isMember(peer)) this.dropIdle(peer);
    }
  }

  #connect(target: RouteTarget, done: (result: PeerLink | Failure) => void): () => void {
    const socket = connect({ ...this.#tls.clientOptions(), host: target.host, port: target.port });
    let isSettled = false;
    const settle = (result: Failure | null): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      socket.off('close', onClose);
      if (result === null) {
        socket.off('error', onError);
        done({ socket, isReused: false });
      } else {
        socket.destroy();
        done(result);
      }
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(error.code === 'ETIMEDOUT' ? 'peer-timeout' : 'peer-refused');
    const onClose = (): void => settle('peer-refused');
    const timer = setTimeout(() => settle('peer-timeout'), this.#settings.connectMs);
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      socket.setNoDelay(true);
      settle(this.#tls.peerOf(socket) === target.peer ? null : 'peer-stranger');
    });
    return () => {
      isSettled = true;
      clearTimeout(timer);
      socket.destroy();
    };
  }
}

function linkKey(target: RouteTarget): string {
  return `${target.peer} ${target.host} ${target.port}`;
}

function ignore(): void {
  // A broken idle connection closes, which is all that matters.
}

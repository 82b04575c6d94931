import { setTimeout as sleep } from 'node:timers/promises';
import { appRequest } from '../../scripts/lib/app-request.ts';
import type { Peer } from './peer.ts';

const PAUSE_MS = 10;
const BODY = 'what was posted '.repeat(500);

/** The public: asks an app at all these peers again and again, GETs and POSTs with a body in turn, until disposed. */
export class Traffic {
  readonly failures: string[] = [];
  asked = 0;
  #isOver = false;
  readonly #lanes: readonly Promise<void>[];

  constructor(peers: readonly Peer[], app: string) {
    this.#lanes = peers.map((peer) => this.#ask(peer, app));
  }

  /** Resolves when so many more requests were answered by all. */
  async more(count: number): Promise<void> {
    const goal = this.asked + count;
    while (this.asked < goal && this.failures.length === 0) await sleep(PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
  }

  async #ask(peer: Peer, app: string): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      const isPost = turn % 2 === 1;
      const path = isPost ? '/echo' : '/';
      const options = isPost ? { method: 'POST', body: BODY } : {};
      const { status, body } = await appRequest(peer.agent.ready.http, app, path, options);
      this.asked += 1;
      if (status !== 200 || (isPost && body !== BODY))
        this.failures.push(`${peer.name} ${isPost ? 'POST' : 'GET'}: ${status} ${body.slice(0, 120)}`);
      await sleep(PAUSE_MS);
    }
  }
}

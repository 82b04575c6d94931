import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onJsonLines, sendJson } from '../lib/json-lines.ts';
import type { AgentMessage, RouterMessage } from './control.ts';

/** An agent that reads no faster than this gets no more for now. */
const UNREAD_BYTES_MAX = 1024 * 1024;

/** The router's end of the control socket. The latest agent is the one that is listened to and told. */
export class ControlServer {
  readonly #onMessage: (message: AgentMessage) => void;
  readonly #onAgent: () => void;
  #server: Server | null = null;
  #agent: Socket | null = null;
  #greeting: RouterMessage | null = null;

  /** @param onAgent an agent has come, and been greeted */
  constructor(onMessage: (message: AgentMessage) => void, onAgent: () => void) {
    this.#onMessage = onMessage;
    this.#onAgent = onAgent;
  }

  /** Replaces a socket file that a dead router left; throws when a live one answers on it. */
  async listen(path: string): Promise<void> {
    if (await answers(path)) throw new Error(`Another router answers on "${path}"`);
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    const umask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
    } finally {
      process.umask(umask);
    }
  }

  /** What this router is, said first to each agent. */
  greet(greeting: RouterMessage): void {
    this.#greeting = greeting;
    if (this.#agent !== null) this.#welcome(this.#agent, greeting);
  }

  /** False: no agent, or one that does not keep up; a message of consequence is sent all the same to one that is there. */
  send(message: RouterMessage): boolean {
    if (this.#agent === null || this.#greeting === null) return false;
    if (message.t === 'logs' && this.#agent.writableLength > UNREAD_BYTES_MAX) return false;
    sendJson(this.#agent, message);
    return true;
  }

  close(): void {
    this.#server?.close();
    this.#agent?.end();
  }

  #accept(socket: Socket): void {
    this.#agent?.end();
    this.#agent = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#agent === socket) this.#agent = null;
    });
    // Both ends are one version of this program: the tag says the rest.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    onJsonLines(socket, (value) => this.#onMessage(value as AgentMessage));
    if (this.#greeting !== null) this.#welcome(socket, this.#greeting);
  }

  #welcome(socket: Socket, greeting: RouterMessage): void {
    sendJson(socket, greeting);
    this.#onAgent();
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

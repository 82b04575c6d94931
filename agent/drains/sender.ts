import type { Logger } from 'pino';
import type { DrainQueue } from './drain-queue.ts';

/** What a sender works with. It takes batches from the queue until its signal aborts, and gives back what did not get through. */
export type SenderParts = {
  readonly queue: DrainQueue;
  /** `d.<uuid>`. */
  readonly token: string;
  /** The receiver's certificate was refused. */
  readonly onBadCertificate: (reason: string) => void;
  /** How long a receiver has to answer a batch; tests shorten it. */
  readonly answerMs?: number | undefined;
  readonly log: Logger;
};

/** After its signal has aborted, a sender may take so long to hear that what is under way has arrived. */
export const FINISH_MS = 1_500;

import type { Logger } from 'pino';
import type { DrainQueue } from './drain-queue.ts';

/** What a sender works with. It takes batches from the queue until its signal aborts, and gives back what did not get through. */
export type SenderParts = {
  readonly queue: DrainQueue;
  /** `d.<uuid>`. */
  readonly token: string;
  /** The receiver's certificate was refused. */
  readonly onBadCertificate: (reason: string) => void;
  readonly log: Logger;
} & Patience;

/** How long others are waited for. Tests say. */
export type Patience = {
  /** How long a receiver has to answer a batch. */
  readonly answerMs?: number | undefined;
  /** After its signal has aborted, a sender may take so long to hear that what is under way has arrived. */
  readonly finishMs?: number | undefined;
};

export const FINISH_MS = 1_500;

import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { SlotVolume } from '../../src/placement/types.ts';

/** Throws `conflict` while one of a one-off's volumes is being copied: nothing may write to it then. */
export function mustBeFree(volumes: readonly SlotVolume[], command: string): void {
  const busy = volumes.find(({ stopped }) => stopped !== null);
  if (busy === undefined) return;
  throw new PlatformError('conflict', `Cannot run "${command}": its volume "${busy.name}" ${busy.stopped}`, {
    hint: `Try again when \`kith volumes:info ${busy.name}\` shows it ready`,
  });
}

/** Throws `conflict` at a peer that was asked before it, or the asker, heard of a move. */
export function mustBeHere(volumes: readonly SlotVolume[], self: PeerId, command: string): void {
  const far = volumes.find(({ peer }) => peer !== self);
  if (far === undefined) return;
  throw new PlatformError('conflict', `Cannot run "${command}" here: its volume "${far.name}" is elsewhere`, {
    hint: `See \`kith volumes:info ${far.name}\`, and try again`,
  });
}

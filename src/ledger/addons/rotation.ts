import type { OpId } from '../../ids.ts';
import type { Register } from '../register.ts';

/**
 * An add-on that gets new credentials. `asked`: they are to be made; `released`: they are in its config, and those before
 * them work still; `ended`: they do not any more.
 */
export type RotationStage = 'asked' | 'released' | 'ended';

/** One that is not over. `id` names the op that says so, `at` is when it was written. */
export type Rotation = {
  readonly id: OpId;
  readonly stage: Exclude<RotationStage, 'ended'>;
  readonly at: number;
};

export function rotationOf([latest]: Register<RotationStage>): Rotation | null {
  if (latest === undefined || latest.value === 'ended') return null;
  return { id: latest.id, stage: latest.value, at: latest.hlc.ms };
}

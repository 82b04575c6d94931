import type { OneOffFact } from '../../src/facts.ts';
import type { FoundDyno } from '../../src/shell/runtime.ts';

/** What a one-off dyno bears, so that the next agent knows it. */
export type OneOffMemory = {
  readonly fact: OneOffFact;
  /** Wall ms; null: it bears none. */
  readonly endsAt: number | null;
  /** Whether a client is to be at its other end. */
  readonly isAttached: boolean;
  /** Ids of what it has mounted. */
  readonly volumes: ReadonlySet<string>;
};

export function oneOffLabels({ fact, endsAt, isAttached, volumes }: OneOffMemory): Record<string, string> {
  return {
    kind: 'one-off',
    fact: JSON.stringify(fact),
    endsAt: String(endsAt ?? ''),
    attached: isAttached ? 'yes' : 'no',
    volumes: [...volumes].join(','),
  };
}

/** What a dyno remembers of itself; null: it is no one-off. */
export function readOneOffLabels({ labels }: Pick<FoundDyno, 'labels'>): OneOffMemory | null {
  if (labels['kind'] !== 'one-off') return null;
  const { fact = 'null', endsAt, attached, volumes = '' } = labels;
  return {
    fact: JSON.parse(fact) as OneOffFact,
    endsAt: endsAt === undefined || endsAt === '' ? null : Number(endsAt),
    isAttached: attached === 'yes',
    volumes: new Set(volumes.split(',').filter((volume) => volume !== '')),
  };
}

/**
 * Work in the world outside that the ledger asks for and one live peer does for all: the key's home. When that dies the
 * next in rendezvous order does it, so whatever a duty does must be safe to do twice.
 */
export type Duty = {
  readonly kind: DutyKind;
  /** Names the thing that it is about, and by itself the peer whose duty it is. */
  readonly key: string;
};

export type DutyKind = 'addon' | 'drain' | 'promotion' | 'setup' | 'review' | 'certificate';

import type { SlugRef } from '../ledger/releases/release-types.ts';
import { slugUuid } from './ids.ts';
import { stackRef } from './stack.ts';
import type { NamedResource } from './stack.ts';
import { isoTime } from './time.ts';

export type SlugResource = {
  readonly id: string;
  readonly blob: { readonly method: 'get' | 'put'; readonly url: string };
  readonly process_types: Readonly<Record<string, string>>;
  readonly stack: NamedResource;
  readonly commit: string | null;
  readonly commit_description: null;
  readonly checksum: string | null;
  readonly size: number | null;
  readonly buildpack_provided_description: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** A slug's id: the one that a client was given before it sent it, or one that follows from what is in it. */
export function slugIdOf({ id, upload }: Pick<SlugRef, 'id' | 'upload'>): string {
  return upload ?? slugUuid(id);
}

/** What there is to tell of a slug, sent or yet to be sent (then `size` is null). */
export type SlugFacts = {
  readonly id: string;
  readonly url: string;
  readonly processTypes: Readonly<Record<string, string>>;
  readonly stack: string;
  readonly commit: string | null;
  readonly checksum: string | null;
  readonly bytes: number | null;
  readonly buildpack: string | null;
  readonly at: number;
};

export function slugResource(facts: SlugFacts): SlugResource {
  return {
    id: facts.id,
    blob: { method: facts.bytes === null ? 'put' : 'get', url: facts.url },
    process_types: facts.processTypes,
    stack: stackRef(facts.stack),
    commit: facts.commit,
    commit_description: null,
    checksum: facts.checksum,
    size: facts.bytes,
    buildpack_provided_description: facts.buildpack,
    created_at: isoTime(facts.at),
    updated_at: isoTime(facts.at),
  };
}

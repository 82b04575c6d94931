import type { OpId } from '../ids.ts';
import type { App } from './apps/app-types.ts';
import { decodeOp } from './codec.ts';
import { parentsFirst, toFoldOp } from './op-graph.ts';
import type { OpOf } from './op-graph.ts';
import type { StoredOp } from './op.ts';
import { ReleaseEdit, emptyReleases } from './releases/fold-release.ts';
import type { Release } from './releases/release-types.ts';
import { verifyOp } from './signing.ts';

type ReleaseOp = OpOf<'release'>;

/**
 * Checks an app's releases against the ops that they were made from: every hash and signature, and that the
 * releases which follow from the ops alone are those shown, each with its number and parents, back to v1.
 * @param ops stored ops that hold the app's releases, in any order; others are ignored
 */
export function verifyReleases(
  app: App,
  ops: readonly StoredOp[],
): { readonly checked: number; readonly problems: readonly string[] } {
  const releaseOps = ops.flatMap((stored) => asReleaseOf(app, stored) ?? []);
  const sound = new Map<OpId, ReleaseOp>();
  const problems: string[] = [];
  for (const { stored, op } of releaseOps) {
    const problem = faultOf(stored);
    if (problem === null) sound.set(op.id, op);
    else problems.push(`Op "${op.id}": ${problem}`);
  }
  const edit = new ReleaseEdit(emptyReleases());
  for (const op of parentsFirst([...sound.values()])) edit.add(op);
  const derived = edit.done().releases;
  for (const release of app.releases.values()) {
    problems.push(...faultsOf(app, release, derived.get(release.id), sound.get(release.op)));
  }
  return { checked: app.releases.size, problems };
}

function asReleaseOf(app: App, stored: StoredOp): { stored: StoredOp; op: ReleaseOp } | null {
  if (stored.op.kind !== 'release') return null;
  const op = toFoldOp(stored);
  if (op.reading.tag !== 'body') return null;
  const { body } = op.reading;
  return body.kind === 'release' && body.app === app.id ? { stored, op: { ...op, body } } : null;
}

function faultOf(stored: StoredOp): string | null {
  try {
    if (decodeOp(stored.bytes).id !== stored.id) return 'its bytes do not have this hash';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return verifyOp(stored) ? null : `it is not signed by its author "${stored.op.author}"`;
}

function faultsOf(
  app: App,
  release: Release,
  derived: Release | undefined,
  op: ReleaseOp | undefined,
): readonly string[] {
  const fault = (text: string) => `${release.label}: ${text}`;
  if (op === undefined) return [fault(`no sound op "${release.op}" is here to tell of it`)];
  if (derived === undefined) return [fault('its id does not follow from its op and parents')];
  const faults: string[] = [];
  if (derived.number !== release.number) faults.push(fault(`by its parents its number is ${derived.number}`));
  if (derived.parents.join() !== release.parents.join()) faults.push(fault('its op names other parents'));
  if (op.body.description !== release.description) faults.push(fault('its op gives another description'));
  if (release.parents.some((parent) => !app.releases.has(parent))) faults.push(fault('a parent is missing'));
  if (release.parents.length === 0 && release.number !== 1)
    faults.push(fault('it has no parent and is not v1'));
  return faults;
}

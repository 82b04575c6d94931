import { phaseOf } from '../../src/dynos/life.ts';
import { addonDuties } from '../../src/ledger/addons/addon-work.ts';
import type { AppId, OpId, SlotKey } from '../../src/ids.ts';
import { findAddonById, liveAddons } from '../../src/ledger/addons/attachments.ts';
import { rangesMissing, vectorOf } from '../../src/ledger/author-logs.ts';
import { dutiesIn } from '../../src/ledger/duties.ts';
import { targetsLeft } from '../../src/ledger/pipelines/pipeline-duties.ts';
import { dueReleases } from '../../src/ledger/releases/release-status.ts';
import { verdictOf } from '../../src/membership/membership.ts';
import { routeTable } from '../../src/peer/route-table.ts';
import { wantedSlots } from '../../src/placement/wanted.ts';
import { configProblems, formationProblems, slugProblems } from './ledger-oracle.ts';
import type { SimProvider } from './sim-addons.ts';
import type { SimPeer } from './sim-peer.ts';
import type { Workload } from './workload.ts';

/** What must hold once everything works again and has had its time. Returns what is not so yet. */
export function unsettled(peers: readonly SimPeer[], workload: Workload, provider: SimProvider): string[] {
  const problems: string[] = [];
  const [first] = peers;
  if (first === undefined) return problems;
  const vector = vectorOf(first.state.logs);
  const acknowledged = workload.acknowledged();
  for (const peer of peers) {
    const { view } = peer.state.fold;
    const own = vectorOf(peer.state.logs);
    if (rangesMissing(vector, own).length + rangesMissing(own, vector).length > 0) {
      problems.push(`${peer.name} and ${first.name} hold different ops`);
    }
    for (const op of acknowledged) {
      if (!peer.disk.has(op)) problems.push(`${peer.name} lacks the acknowledged op ${op}`);
    }
    if (view.waiting > 0) problems.push(`${peer.name}: ${view.waiting} ops wait for parents`);
    if (view.quarantined.size > 0) problems.push(`${peer.name}: ${view.quarantined.size} ops quarantined`);
    for (const id of view.names.values()) {
      const app = view.apps.get(id);
      if (app !== undefined && app.heads.length > 1)
        problems.push(`${peer.name}: ${app.name} has ${app.heads.length} heads`);
      for (const release of app === undefined ? [] : dueReleases(app))
        problems.push(`${peer.name}: ${release.label} of ${app?.name} is pending`);
    }
    for (const other of peers) {
      const verdict = verdictOf(peer.state.membership, other.peer);
      if (verdict !== 'alive') problems.push(`${peer.name} takes ${other.name} for ${verdict}`);
    }
    for (const { key } of addonDuties(view)) problems.push(`${peer.name}: add-on ${key} is unsettled`);
    for (const promotion of view.promotions.values()) {
      const left = targetsLeft(view, promotion).length;
      if (left > 0) problems.push(`${peer.name}: ${left} targets of ${promotion.promotion} have no release`);
    }
    if (peer.state.pending.size > 0) problems.push(`${peer.name}: ${peer.state.pending.size} commands pend`);
  }
  return [
    ...problems,
    ...unanswered(workload),
    ...unmet(peers),
    ...unshared(peers),
    ...orphans(first, provider),
  ];
}

/** A command is answered, for better or worse, while the agent that was asked lives. */
function unanswered(workload: Workload): string[] {
  return [...workload.asked.values()]
    .filter(({ at, run, result }) => result === null && at.isRunning() && at.run === run)
    .map(({ at, command }) => `${at.name} has not answered ${command.type}`);
}

/**
 * Add-ons that the provider has and the ledger has given up, or the other way round. What a removed peer wrote never
 * happened, so nothing can be said of what it told the provider.
 */
function orphans({ state }: SimPeer, { resources }: SimProvider): string[] {
  const { view } = state.fold;
  const live = new Set(liveAddons(view).map(({ id }) => id));
  const hasOutcasts = [...view.members.values()].some((member) => member.state === 'removed');
  const left = hasOutcasts
    ? []
    : [...resources].filter((id) => !live.has(id) && findAddonById(view, id) !== null);
  const lost = hasOutcasts ? [] : [...live].filter((id) => !resources.has(id));
  return [
    ...left.map((id) => `the provider has add-on ${id}, which is deprovisioned`),
    ...lost.map((id) => `the provider has no add-on ${id}`),
  ];
}

/** Duties that are not done by exactly one peer, or are none any more. */
function unshared(peers: readonly SimPeer[]): string[] {
  const [first] = peers;
  const due = new Set(first === undefined ? [] : dutiesIn(first.state.fold.view).map(({ key }) => key));
  const held = peers.flatMap((peer) => peer.duties.map(({ key }) => ({ key, name: peer.name })));
  const holders = Map.groupBy(held, ({ key }) => key);
  const problems = held
    .filter(({ key }) => !due.has(key))
    .map(({ key, name }) => `${name} does ${key}, which is no duty`);
  for (const key of due) {
    const names = (holders.get(key) ?? []).map(({ name }) => name);
    if (names.length !== 1) problems.push(`${key} is done by [${names.join(', ')}]`);
  }
  return problems;
}

/** Slots that do not have exactly one dyno, up, at the wanted generation. */
function unmet(peers: readonly SimPeer[]): string[] {
  const problems: string[] = [];
  const running = new Map<SlotKey, string[]>();
  for (const peer of peers) {
    for (const { life, isUp } of peer.runtime.processes.values()) {
      const known = peer.state.dynos.get(life.dyno);
      if (known === undefined)
        problems.push(`${peer.name}: runs ${life.slot.slot}, which its agent does not know`);
      const state = isUp && known !== undefined ? phaseOf(known) : 'starting';
      // It is out of the routes and was told to go; one that ignores SIGTERM takes 30 s for that.
      if (known !== undefined && phaseOf(known) === 'stopping') continue;
      const list = running.get(life.slot.slot) ?? [];
      running.set(life.slot.slot, [...list, `${peer.name}:${state}:${life.slot.generation}`]);
    }
  }
  const wanted = wantedSlots((peers[0] as SimPeer).state.fold.view);
  for (const { slot, generation } of wanted) {
    const found = running.get(slot) ?? [];
    running.delete(slot);
    if (found.length === 1 && found[0]?.endsWith(`:up:${generation}`)) continue;
    problems.push(`${slot} wants one at ${generation}, has [${found.join(', ')}]`);
  }
  for (const [slot, found] of running) problems.push(`${slot} is not wanted, but runs: ${found.join(', ')}`);
  return problems;
}

/** Routers that do not send to exactly the dynos that are up and listen: what was last announced to them counts. */
export function misrouted(peers: readonly SimPeer[]): string[] {
  const wanted = listening(peers);
  return peers.flatMap((peer) => {
    if (peer.routesOf === null) return [`${peer.name} has announced no routes`];
    const { apps, ports } = routeTable(peer.routesOf, 1, { domain: null, internalHost: null });
    const routed = [
      ...Object.values(apps).flatMap((app) => app.up.map(({ dyno }) => `web ${dyno}`)),
      ...Object.entries(ports).flatMap(([number, port]) => [
        `${number} ${port.app} ${port.type}`,
        ...port.up.map(({ dyno }) => `${number} ${dyno}`),
      ]),
    ];
    const isRight = routed.length === wanted.size && routed.every((route) => wanted.has(route));
    return isRight ? [] : [`${peer.name} has routes [${routed.join()}] and not [${[...wanted].join()}]`];
  });
}

/** Every open port, and every dyno by the port or the web that leads to it. */
function listening(peers: readonly SimPeer[]): ReadonlySet<string> {
  const lives = peers
    .flatMap((peer) => [...peer.state.dynos.values()])
    .filter((life) => life.slot.listens && phaseOf(life) === 'up');
  const web = lives.filter(({ slot }) => slot.type === 'web').map(({ dyno }) => `web ${dyno}`);
  const open = [...(peers[0]?.state.fold.view.ports ?? [])].flatMap(([number, { app, type }]) => [
    `${number} ${app} ${type}`,
    ...lives
      .filter(({ slot }) => slot.app === app && slot.type === type)
      .map(({ dyno }) => `${number} ${dyno}`),
  ]);
  return new Set([...web, ...open]);
}

/** What the ledger must mean, once all hold all of it. */
export function misread(peers: readonly SimPeer[], workload: Workload): string[] {
  const problems = differences(peers);
  const [first] = peers;
  if (first === undefined) return problems;
  const { view, state, membership } = first.state.fold;
  for (const op of workload.acknowledged()) {
    const stored = first.disk.get(op)?.op;
    const app = (stored?.body as { app?: string } | undefined)?.app;
    if (stored?.kind !== 'release' || app === undefined) continue;
    // What a removed peer wrote past the cut counts only where others built on it.
    const cut = membership.cuts.get(stored.author);
    if (cut !== undefined && stored.seq > (cut[stored.epoch] ?? -1)) continue;
    const isShown = state.apps.get(app as AppId)?.releases.byOp.get(op as OpId);
    if (isShown === undefined) problems.push(`the acknowledged release ${op} counts for nothing`);
  }
  const live = [...view.apps.values()].filter((app) => !app.destroyed);
  if (new Set(live.map(({ name }) => name)).size !== live.length || live.length !== view.names.size)
    problems.push('two apps bear one name');
  const addonNames = liveAddons(view).map(({ name }) => name);
  if (new Set(addonNames).size !== addonNames.length) problems.push('two add-ons bear one name');
  const { held } = first.state.fold.standing;
  for (const app of live) {
    problems.push(...configProblems(app, first.disk), ...slugProblems(app, first.disk));
    problems.push(...formationProblems(app, first.disk, (op) => held.has(op as OpId)));
  }
  return problems;
}

/** The same ops must mean the same on every peer. */
function differences(peers: readonly SimPeer[]): string[] {
  const texts = peers.map((peer) => canonical(peer.state.fold.view));
  return peers.flatMap((peer, i) =>
    texts[i] === texts[0] ? [] : [`${peer.name} folds the same ops otherwise than ${peers[0]?.name}`],
  );
}

/** A view as text: maps sorted by key, so that equal views are equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Map) return [...part].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    if (part instanceof Set) return [...part].map(String).sort((a, b) => (a < b ? -1 : 1));
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex');
    return part;
  });
}

import type { PeerFacts } from '../facts.ts';
import type { ProcessType } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { AcmeChallenge } from '../ledger/domains/acm-types.ts';
import type { View } from '../ledger/view.ts';
import { verdictOf } from '../membership/membership.ts';
import type { RouteApp, RoutePort, RouteTable } from '../routing/table.ts';
import { isStarting, routeCandidates, upTargets } from './route-targets.ts';
import type { PeerState } from './state.ts';

/** Who may be routed to: `restarting` is an agent that is away while its router and dynos go on. */
const ROUTED_VERDICTS = new Set(['alive', 'restarting']);
const WEB = 'web' as ProcessType;

/** What a peer's settings and runtime say of its routes. */
export type RouteSettings = {
  /** Suffix under which every app is served besides `localhost`. */
  readonly domain: string | null;
  /** Where its dynos reach internal ports; null: nowhere. */
  readonly internalHost: string | null;
};

/** The route table as this peer sees it: live peers ∩ announced dynos, nothing else. */
export function routeTable(
  state: PeerState,
  version: number,
  { domain, internalHost }: RouteSettings,
): RouteTable {
  const { view } = state.fold;
  const peers = [...state.facts.values()].filter((facts) =>
    ROUTED_VERDICTS.has(verdictOf(state.membership, facts.peer)),
  );
  const apps: Record<string, RouteApp> = {};
  for (const id of view.names.values()) {
    const app = view.apps.get(id);
    if (app !== undefined) apps[id] = routeApp(state, app, peers);
  }
  const ports: Record<string, RoutePort> = {};
  for (const [number, { app: id, type }] of view.ports) {
    const app = view.apps.get(id);
    if (app !== undefined) ports[number] = routePort(state, app, type, peers);
  }
  const local = [...state.dynos.values()];
  return {
    version,
    self: state.self,
    hosts: Object.fromEntries(view.domains),
    suffixes: suffixesOf(domain),
    names: Object.fromEntries(view.names),
    apps,
    challenges: challengesOf(view),
    internalHost,
    ports,
    localDynos: Object.fromEntries(
      local.flatMap(({ dyno, address }) => (address === null ? [] : [[dyno, address]])),
    ),
    members: [...view.members.values()].filter((member) => member.state === 'member').map(({ peer }) => peer),
  };
}

/** Of the names that apps hold: an authority comes to the one who has the name now. */
function challengesOf(view: View): Record<string, readonly AcmeChallenge[]> {
  const found: Record<string, readonly AcmeChallenge[]> = {};
  for (const [hostname, id] of view.domains) {
    const app = view.apps.get(id);
    if (app === undefined || !app.acm.on || app.acm.domains.size === 0) continue;
    const domain = app.domains.get(hostname)?.domain;
    const open = domain === undefined ? [] : (app.acm.domains.get(domain)?.challenges ?? []);
    if (open.length > 0) found[hostname] = open;
  }
  return found;
}

/** `APP.<suffix>` serves the app named APP. */
export function suffixesOf(domain: string | null): readonly string[] {
  return domain === null ? ['localhost'] : ['localhost', domain];
}

function routeApp(state: PeerState, app: App, peers: readonly PeerFacts[]): RouteApp {
  const web = routeCandidates(state, app.id, WEB, peers);
  const current = app.current === null ? undefined : app.releases.get(app.current);
  const webQuantity = app.formation.get(WEB)?.quantity ?? 0;
  return {
    app: app.id,
    name: app.name,
    maintenance: app.maintenance,
    blank: current === undefined || current.slug === null,
    webQuantity,
    starting: isStarting(web, webQuantity),
    crashed: web.some(({ phase }) => phase === 'crashed'),
    up: upTargets(web),
  };
}

function routePort(state: PeerState, app: App, type: ProcessType, peers: readonly PeerFacts[]): RoutePort {
  const candidates = routeCandidates(state, app.id, type, peers);
  const wanted = app.formation.get(type)?.quantity ?? 0;
  return {
    app: app.id,
    type,
    wanted,
    starting: isStarting(candidates, wanted),
    up: upTargets(candidates),
  };
}

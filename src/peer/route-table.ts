import { phaseOf } from '../dynos/life.ts';
import type { PeerFacts } from '../facts.ts';
import type { AppId } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { AcmeChallenge } from '../ledger/domains/acm-types.ts';
import type { View } from '../ledger/view.ts';
import { verdictOf } from '../membership/membership.ts';
import type { RouteApp, RouteTable, RouteTarget } from '../routing/table.ts';
import type { PeerState } from './state.ts';

/** Who may be routed to: `restarting` is an agent that is away while its router and dynos go on. */
const ROUTED_VERDICTS = new Set(['alive', 'restarting']);

/**
 * The route table as this peer sees it: live peers ∩ announced dynos, nothing else.
 * @param domain suffix under which every app is served besides `localhost`
 */
export function routeTable(state: PeerState, version: number, domain: string | null): RouteTable {
  const { view } = state.fold;
  const peers = [...state.facts.values()].filter((facts) =>
    ROUTED_VERDICTS.has(verdictOf(state.membership, facts.peer)),
  );
  const apps: Record<string, RouteApp> = {};
  for (const id of view.names.values()) {
    const app = view.apps.get(id);
    if (app !== undefined) apps[id] = routeApp(state, app, peers);
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
  const web = [...localWeb(state, app.id), ...peers.flatMap((facts) => remoteWeb(facts, app.id))];
  const up = web.filter(({ phase }) => phase === 'up').map(({ target }) => target);
  const current = app.current === null ? undefined : app.releases.get(app.current);
  const formation = [...app.formation.values()].find((entry) => entry.type === 'web');
  const webQuantity = formation?.quantity ?? 0;
  const isCrashed = web.some(({ phase }) => phase === 'crashed');
  return {
    app: app.id,
    name: app.name,
    maintenance: app.maintenance,
    blank: current === undefined || current.slug === null,
    webQuantity,
    // A slot that nobody holds yet is about to start as well: hold the request rather than fail it.
    starting:
      web.some(({ phase }) => phase === 'starting' || phase === 'fetching') || web.length < webQuantity,
    crashed: isCrashed,
    up,
  };
}

/** Not up yet, so that nobody looks. */
const NOWHERE = { host: '127.0.0.1', port: 0 };

type Candidate = { readonly phase: string; readonly target: RouteTarget };

function localWeb(state: PeerState, app: AppId): Candidate[] {
  return [...state.dynos.values()]
    .filter((life) => life.slot.app === app && life.slot.type === 'web')
    .map((life) => ({
      phase: phaseOf(life),
      target: {
        dyno: life.dyno,
        name: `web.${life.slot.index}`,
        peer: state.self,
        local: true,
        ...(life.address ?? NOWHERE),
      },
    }));
}

function remoteWeb(facts: PeerFacts, app: AppId): Candidate[] {
  const colon = facts.addrs.proxy.lastIndexOf(':');
  const host = facts.addrs.proxy.slice(0, colon);
  const port = Number(facts.addrs.proxy.slice(colon + 1));
  return facts.dynos
    .filter((dyno) => dyno.app === app && dyno.type === 'web')
    .map((dyno) => ({
      phase: dyno.phase,
      target: { dyno: dyno.dyno, name: `web.${dyno.index}`, peer: facts.peer, local: false, host, port },
    }));
}

import type { AddonId, AppId, AppName, OpId } from '../ids.ts';
import { applyAccess, noAccess } from './access/fold-access.ts';
import type { AccessState } from './access/fold-access.ts';
import { assignAddonNames } from './addons/addon-names.ts';
import { applyProvider } from './addons/fold-providers.ts';
import type { ProvidersState } from './addons/fold-providers.ts';
import { newApp } from './apps/app-state.ts';
import type { AppState, BodyAboutApp } from './apps/app-state.ts';
import type { App } from './apps/app-types.ts';
import { AppEdit } from './apps/fold-app.ts';
import { toApp } from './apps/to-app.ts';
import { applyStack } from './cluster/fold-stacks.ts';
import type { StacksState } from './cluster/fold-stacks.ts';
import { applyAcme } from './domains/fold-acm.ts';
import type { AcmeState } from './domains/fold-acm.ts';
import { LayeredMap } from './layered-map.ts';
import { assignNames, assignOldest } from './names.ts';
import type { Claim } from './names.ts';
import type { FoldOp } from './op-graph.ts';
import type { OpBody } from './op.ts';
import { applyPipeline, noPipelines } from './pipelines/fold-pipelines.ts';
import type { PipelinesState } from './pipelines/fold-pipelines.ts';
import { NO_PORT_NUMBERS, assignPortNumbers } from './ports/port-numbers.ts';
import type { PortNumbers } from './ports/port-numbers.ts';
import { markOf } from './request-stamp.ts';

/** All that the ops which count have made, members apart. */
export type FoldState = {
  readonly apps: ReadonlyMap<AppId, AppState>;
  /** The apps as readers see them. */
  readonly shown: ReadonlyMap<AppId, App>;
  readonly names: ReadonlyMap<AppName, AppId>;
  readonly domains: ReadonlyMap<string, AppId>;
  readonly addonNames: ReadonlyMap<AddonId, string>;
  readonly ports: PortNumbers;
  readonly access: AccessState;
  readonly stacks: StacksState;
  readonly acme: AcmeState;
  readonly pipelines: PipelinesState;
  readonly providers: ProvidersState;
  /** A request's mark, or a Request-Id as it is, to the op it made; the least id, where there are several. */
  readonly requests: LayeredMap<string, OpId>;
  /** The same by what was asked (a stamp or `requestKey`): one client request may make several writes. */
  readonly writes: LayeredMap<string, OpId>;
  readonly quarantined: ReadonlyMap<OpId, string>;
};

export function emptyState(): FoldState {
  return {
    apps: new Map(),
    shown: new Map(),
    names: new Map(),
    domains: new Map(),
    addonNames: new Map(),
    ports: NO_PORT_NUMBERS,
    access: noAccess(),
    stacks: new Map(),
    acme: [],
    pipelines: noPipelines(),
    providers: new Map(),
    requests: LayeredMap.empty(),
    writes: LayeredMap.empty(),
    quarantined: new Map(),
  };
}

/** What a repeated request is known by: the write it made, of which kind, on which app. */
export function requestKey(request: string, what: 'app.create' | `${AppId}/${string}`): string {
  return `${what} ${request}`;
}

/** Applies ops that count, copying what they touch once. */
export class FoldBatch {
  readonly #base: FoldState;
  readonly #shunned: ReadonlyMap<OpId, string>;
  readonly #edits = new Map<AppId, AppEdit>();
  readonly #flaws = new Map<OpId, string>();
  readonly #requests;
  readonly #writes;
  #access: AccessState;
  #stacks: StacksState;
  #acme: AcmeState;
  #pipelines: PipelinesState;
  #providers: ProvidersState;

  constructor(base: FoldState, shunned: ReadonlyMap<OpId, string>) {
    this.#base = base;
    this.#shunned = shunned;
    this.#requests = base.requests.edit();
    this.#writes = base.writes.edit();
    this.#access = base.access;
    this.#stacks = base.stacks;
    this.#acme = base.acme;
    this.#pipelines = base.pipelines;
    this.#providers = base.providers;
  }

  /** Never throws: what cannot be applied is set aside under its reason, and the rest goes on. */
  apply(op: FoldOp): void {
    const { reading } = op;
    const shunned = this.#shunned.get(op.id);
    if (shunned !== undefined) this.#flaws.set(op.id, shunned);
    else if (reading.tag === 'flawed') this.#flaws.set(op.id, reading.reason);
    else if (reading.tag === 'body') {
      try {
        this.#applyBody(op, reading.body);
        if (op.stamp !== null) this.#noteStamp(op.id, op.stamp);
      } catch (error) {
        this.#flaws.set(op.id, error instanceof Error ? error.message : String(error));
      }
    }
  }

  done(): FoldState {
    const base = this.#base;
    const edits = [...this.#edits];
    const quarantined =
      this.#flaws.size === 0 ? base.quarantined : new Map([...base.quarantined, ...this.#flaws]);
    const unchanged = {
      ...base,
      quarantined,
      access: this.#access,
      stacks: this.#stacks,
      acme: this.#acme,
      pipelines: this.#pipelines,
      providers: this.#providers,
      requests: this.#requests.done(),
      writes: this.#writes.done(),
    };
    if (edits.length === 0) return unchanged;
    const apps = new Map(base.apps);
    for (const [id, edit] of edits) apps.set(id, edit.done());
    const hasNewNames = edits.some(([, edit]) => edit.hasNewName);
    const names = hasNewNames ? assignNames(nameClaims(apps)) : base.names;
    const hasNewDomains = edits.some(([, edit]) => edit.hasNewDomains);
    const domains = hasNewDomains ? assignOldest(domainClaims(apps)) : base.domains;
    const hasNewAddonNames = edits.some(([, edit]) => edit.hasNewAddonNames);
    const addonNames = hasNewAddonNames ? assignAddonNames(apps.values()) : base.addonNames;
    const hasNewPorts = edits.some(([, edit]) => edit.hasNewPorts);
    const ports = hasNewPorts ? assignPortNumbers([...apps.values()]) : base.ports;
    const shown = this.#show(apps, hasNewNames ? names : null, { addonNames, ports });
    return { ...unchanged, apps, shown, names, domains, addonNames, ports };
  }

  #applyBody(op: FoldOp, body: OpBody): void {
    switch (body.kind) {
      case 'cluster.found':
      case 'member.admit':
      case 'member.remove':
        return; // Judged apart, before anything is applied: see `judgeMembers`.
      case 'invite.create':
      case 'token.create':
      case 'token.update':
      case 'token.revoke':
      case 'user.set':
      case 'key.rotate':
        this.#access = applyAccess(this.#access, op, body);
        return;
      case 'stack.set':
        this.#stacks = applyStack(this.#stacks, op, body);
        return;
      case 'acme.set':
        this.#acme = applyAcme(this.#acme, op, body);
        return;
      case 'pipeline.set':
      case 'pipeline.config':
      case 'pipeline.review':
      case 'pipeline.remove':
      case 'promotion.create':
        this.#pipelines = applyPipeline(this.#pipelines, op, body);
        return;
      case 'provider.set':
      case 'provider.remove':
        this.#providers = applyProvider(this.#providers, op, body);
        return;
      default:
        this.#edit(body).apply(op, body);
        this.#noteRequest(op, body);
    }
  }

  #edit(body: BodyAboutApp): AppEdit {
    const known = this.#edits.get(body.app);
    if (known !== undefined) return known;
    const edit = new AppEdit(this.#base.apps.get(body.app) ?? newApp(body.app));
    this.#edits.set(body.app, edit);
    return edit;
  }

  #noteStamp(id: OpId, stamp: string): void {
    keepLeast(this.#requests, markOf(stamp), id);
    keepLeast(this.#writes, stamp, id);
  }

  #noteRequest({ id }: FoldOp, body: BodyAboutApp): void {
    if ((body.kind !== 'app.create' && body.kind !== 'release') || body.request === null) return;
    const what = body.kind === 'release' ? (`${body.app}/${body.cause}` as const) : body.kind;
    keepLeast(this.#requests, body.request, id);
    keepLeast(this.#writes, requestKey(body.request, what), id);
  }

  /** Makes the views of touched apps, and of those of which something is called otherwise by what is said of others. */
  #show(
    apps: ReadonlyMap<AppId, AppState>,
    names: FoldState['names'] | null,
    { addonNames, ports }: Pick<FoldState, 'addonNames' | 'ports'>,
  ): ReadonlyMap<AppId, App> {
    const base = this.#base;
    const shown = new Map(base.shown);
    const isRenamed = ({ id, addons }: AppState): boolean =>
      shown.has(id) &&
      ([...addons.keys()].some((addon) => addonNames.get(addon) !== base.addonNames.get(addon)) ||
        !isSame(ports.ofApp.get(id), base.ports.ofApp.get(id)));
    const isAnyRenamed = addonNames !== base.addonNames || ports !== base.ports;
    const renamed = isAnyRenamed ? [...apps.values()].filter(isRenamed) : [];
    for (const id of new Set([...this.#edits.keys(), ...renamed.map((app) => app.id)])) {
      const state = apps.get(id);
      const wanted = state?.name[0]?.value;
      if (state === undefined || wanted === undefined) continue;
      const name = state.destroyed ? wanted : (shown.get(id)?.name ?? wanted);
      const app = toApp(state, name, addonNames, ports.ofApp.get(id));
      if (app !== null) shown.set(id, app);
    }
    for (const [name, id] of names ?? []) {
      const app = shown.get(id);
      if (app !== undefined && app.name !== name) shown.set(id, { ...app, name });
    }
    return shown;
  }
}

function keepLeast(
  ids: { get(key: string): OpId | undefined; set(key: string, id: OpId): void },
  key: string,
  id: OpId,
) {
  const held = ids.get(key);
  if (held === undefined || id < held) ids.set(key, id);
}

function isSame<K, V>(a: ReadonlyMap<K, V> = new Map(), b: ReadonlyMap<K, V> = new Map()): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function nameClaims(apps: ReadonlyMap<AppId, AppState>): readonly Claim<AppName>[] {
  return liveApps(apps).flatMap(({ id, name: [first] }) =>
    first === undefined ? [] : [{ id, wanted: first.value, hlc: first.hlc }],
  );
}

function domainClaims(apps: ReadonlyMap<AppId, AppState>): readonly Claim<string>[] {
  return liveApps(apps).flatMap(({ id, domains }) =>
    [...domains].flatMap(([wanted, [first]]) =>
      first === undefined || first.value === null ? [] : [{ id, wanted, hlc: first.hlc }],
    ),
  );
}

function liveApps(apps: ReadonlyMap<AppId, AppState>): readonly AppState[] {
  return [...apps.values()].filter((app) => app.created !== null && !app.destroyed);
}

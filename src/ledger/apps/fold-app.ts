import type { AddonId, AppId, AppName, DrainId, OpId, ProcessType, VolumeId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import { NO_ACM, applyAcm, toAcm } from '../domains/fold-acm.ts';
import type { AcmState } from '../domains/fold-acm.ts';
import { applyAddon, toAddons } from '../addons/fold-addon.ts';
import type { AddonRegisters } from '../addons/fold-addon.ts';
import { applyDrain, toDrains } from '../drains/fold-drain.ts';
import type { DrainState } from '../drains/fold-drain.ts';
import { applyCollaborator, toCollaborators } from '../access/fold-collaborator.ts';
import type { CollaboratorsState } from '../access/fold-collaborator.ts';
import type { Snapshot } from '../releases/config-snapshot.ts';
import { ReleaseEdit, currentOf, emptyReleases, snapshotOfHeads } from '../releases/fold-release.ts';
import { NO_SETUP, applySetup, toSetup } from '../pipelines/fold-setup.ts';
import type { SetupState } from '../pipelines/fold-setup.ts';
import type { ReleaseGraph } from '../releases/fold-release.ts';
import { applyCert, certOfDomain, noCerts, toCerts } from '../domains/fold-cert.ts';
import type { CertsState } from '../domains/fold-cert.ts';
import { applyVolume, destroyedVolumes, toBackups, toVolumes } from '../volumes/fold-volume.ts';
import type { VolumeState } from '../volumes/fold-volume.ts';
import { compareStamps } from '../hlc.ts';
import { LayeredMap } from '../layered-map.ts';
import type { LayeredEdit } from '../layered-map.ts';
import type { FoldOp, OpOf } from '../op-graph.ts';
import type { OpBody, UserEmail } from '../op.ts';
import type { CouplingPlace } from '../pipelines/pipeline-types.ts';
import { writeRegister } from '../register.ts';
import type { Register, Write } from '../register.ts';
import type { App } from './app-types.ts';
import type { Build, SlugUpload } from '../releases/release-types.ts';

/** One app as registers: what its `App` in the view is made from, and what decisions name as parents. */
export type AppState = {
  readonly id: AppId;
  /** Null while only later ops are here. The earliest, should there be two. */
  readonly created: OpOf<'app.create'> | null;
  readonly destroyed: boolean;
  /** Wall ms of the latest op of the app. */
  readonly updatedAt: number;
  readonly name: Register<AppName>;
  /** Empty until it is given to another than who created it. */
  readonly owner: Register<UserEmail>;
  readonly collaborators: CollaboratorsState;
  readonly maintenance: Register<boolean>;
  /** Whether it is on, by the feature's name. */
  readonly features: ReadonlyMap<string, Register<boolean>>;
  readonly buildpacks: Register<readonly string[]>;
  readonly formation: ReadonlyMap<ProcessType, Register<{ quantity: number; size: string }>>;
  /** Restart requests by scope: `''`, `web`, `web.1`. */
  readonly restarts: ReadonlyMap<string, Register<null>>;
  /** The domain's id, or null where it was removed. */
  readonly domains: ReadonlyMap<string, Register<string | null>>;
  readonly builds: LayeredMap<string, Register<OpOf<'build.record'>['body']>>;
  readonly releases: ReleaseGraph;
  readonly volumes: ReadonlyMap<VolumeId, VolumeState>;
  readonly coupling: Register<CouplingPlace | null>;
  readonly setup: SetupState;
  /** By the id that the client was given. */
  readonly uploads: ReadonlyMap<string, SlugUpload>;
  readonly certs: CertsState;
  readonly acm: AcmState;
  readonly drains: ReadonlyMap<DrainId, DrainState>;
  readonly addons: ReadonlyMap<AddonId, AddonRegisters>;
};

/** The ops that are about one app. */
export type AppBody = Extract<OpBody, { readonly app: AppId }>;

export function newApp(id: AppId): AppState {
  return {
    id,
    created: null,
    destroyed: false,
    updatedAt: 0,
    name: [],
    owner: [],
    collaborators: new Map(),
    maintenance: [],
    features: new Map(),
    buildpacks: [],
    formation: new Map(),
    restarts: new Map(),
    domains: new Map(),
    builds: LayeredMap.empty(),
    releases: emptyReleases(),
    volumes: new Map(),
    coupling: [],
    setup: NO_SETUP,
    uploads: new Map(),
    certs: noCerts(),
    acm: NO_ACM,
    drains: new Map(),
    addons: new Map(),
  };
}

export function restartScope(type: ProcessType | null, index: number | null): string {
  if (type === null) return '';
  return index === null ? type : `${type}.${index}`;
}

/** The changes of one batch to one app: its maps are copied once, then written in place. */
export class AppEdit {
  /** Whether the name it wants, or its claim to it, may be another. */
  hasNewName = false;
  hasNewDomains = false;

  readonly #base: AppState;
  #fields: Pick<
    AppState,
    | 'owner'
    | 'collaborators'
    | 'created'
    | 'destroyed'
    | 'updatedAt'
    | 'name'
    | 'maintenance'
    | 'buildpacks'
    | 'coupling'
    | 'setup'
    | 'uploads'
    | 'acm'
  >;
  readonly #formation: Map<ProcessType, Register<{ quantity: number; size: string }>>;
  readonly #features: Map<string, Register<boolean>>;
  readonly #restarts: Map<string, Register<null>>;
  readonly #domains: Map<string, Register<string | null>>;
  readonly #builds: LayeredEdit<string, Register<OpOf<'build.record'>['body']>>;
  readonly #volumes: Map<VolumeId, VolumeState>;
  #certs: CertsState;
  readonly #addons: Map<AddonId, AddonRegisters>;
  readonly #drains: Map<DrainId, DrainState>;
  #releases: ReleaseEdit | null = null;

  constructor(base: AppState) {
    this.#base = base;
    this.#fields = base;
    this.#formation = new Map(base.formation);
    this.#features = new Map(base.features);
    this.#restarts = new Map(base.restarts);
    this.#domains = new Map(base.domains);
    this.#builds = base.builds.edit();
    this.#volumes = new Map(base.volumes);
    this.#certs = base.certs;
    this.#addons = new Map(base.addons);
    this.#drains = new Map(base.drains);
  }

  apply(op: FoldOp, body: AppBody): void {
    const fields = this.#fields;
    const write = <T>(value: T): Write<T> => ({ id: op.id, hlc: op.hlc, value });
    this.#fields = { ...fields, updatedAt: Math.max(fields.updatedAt, op.hlc.ms) };
    switch (body.kind) {
      case 'app.create':
        this.#create({ ...op, body });
        break;
      case 'app.update':
        if (body.name !== undefined) this.#rename(op, body.name);
        if (body.owner !== undefined) {
          this.#set({ owner: writeRegister(fields.owner, write(body.owner), op.parents) });
        }
        if (body.maintenance !== undefined) {
          this.#set({ maintenance: writeRegister(fields.maintenance, write(body.maintenance), op.parents) });
        }
        for (const [feature, on] of Object.entries(body.features ?? {})) {
          this.#features.set(feature, writeRegister(this.#features.get(feature), write(on), op.parents));
        }
        break;
      case 'app.destroy':
        this.#set({ destroyed: true });
        this.hasNewName = this.hasNewDomains = true;
        break;
      case 'collaborator.set':
        this.#set({ collaborators: applyCollaborator(fields.collaborators, op, body) });
        break;
      case 'release':
        this.#releases ??= new ReleaseEdit(this.#base.releases);
        this.#releases.add({ ...op, body });
        break;
      case 'release.attempt':
        this.#releases ??= new ReleaseEdit(this.#base.releases);
        this.#releases.attempt({ ...op, body });
        break;
      case 'release.settle':
        this.#releases ??= new ReleaseEdit(this.#base.releases);
        this.#releases.settle({ ...op, body });
        break;
      case 'formation.scale': {
        const { type, quantity, size } = body;
        this.#formation.set(
          type,
          writeRegister(this.#formation.get(type), write({ quantity, size }), op.parents),
        );
        break;
      }
      case 'formation.restart': {
        const scope = restartScope(body.type, body.index);
        this.#restarts.set(scope, writeRegister(this.#restarts.get(scope), write(null), op.parents));
        break;
      }
      case 'volume.create':
      case 'volume.mount':
      case 'volume.hold':
      case 'volume.move':
      case 'volume.ready':
      case 'volume.backup':
      case 'volume.destroy':
        this.#volumes.set(body.volume, applyVolume(this.#volumes.get(body.volume), op, body));
        break;
      case 'drain.add':
      case 'drain.remove':
        this.#drains.set(body.drain, applyDrain(this.#drains.get(body.drain), op, body));
        break;
      case 'addon.create':
      case 'addon.settle':
      case 'addon.config':
      case 'addon.rename':
      case 'addon.rotate':
      case 'addon.plan':
      case 'addon.answer':
      case 'addon.destroy':
        this.#addons.set(body.addon, applyAddon(this.#addons.get(body.addon), op, body));
        break;
      case 'domain.add':
        this.#setDomain(body.hostname, write(body.domain), op.parents);
        break;
      case 'domain.remove':
        this.#setDomain(body.hostname, write(null), op.parents);
        break;
      case 'domain.update':
      case 'cert.set':
      case 'cert.remove':
        this.#certs = applyCert(this.#certs, op, body);
        break;
      case 'acm.set':
      case 'acme.challenge':
      case 'acm.fail':
        this.#set({ acm: applyAcm(fields.acm, op, body) });
        break;
      case 'buildpacks.set':
        this.#set({ buildpacks: writeRegister(fields.buildpacks, write(body.buildpacks), op.parents) });
        break;
      case 'coupling.set':
        this.#set({ coupling: writeRegister(fields.coupling, write(body.coupling), op.parents) });
        break;
      case 'setup.create':
      case 'setup.settle':
        this.#set({ setup: applySetup(fields.setup, op, body) });
        break;
      case 'slug.create': {
        const { slug, checksum, user } = body;
        const upload: SlugUpload = { id: op.id, slug, checksum, user, hlc: op.hlc };
        const known = fields.uploads.get(slug.upload ?? slug.id);
        if (known !== undefined && compareStamps(known, upload) <= 0) break;
        this.#set({ uploads: new Map(fields.uploads).set(slug.upload ?? slug.id, upload) });
        break;
      }
      case 'build.record':
        this.#builds.set(body.build, writeRegister(this.#builds.get(body.build), write(body), op.parents));
        break;
      default:
        assertNever(body);
    }
  }

  done(): AppState {
    return {
      ...this.#base,
      ...this.#fields,
      formation: this.#formation,
      features: this.#features,
      restarts: this.#restarts,
      domains: this.#domains,
      builds: this.#builds.done(),
      volumes: this.#volumes,
      certs: this.#certs,
      addons: this.#addons,
      drains: this.#drains,
      releases: this.#releases?.done() ?? this.#base.releases,
    };
  }

  #set(fields: Partial<AppState>): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  #create(op: OpOf<'app.create'>): void {
    const { created } = this.#fields;
    if (created === null || compareStamps(op, created) < 0) this.#set({ created: op });
    this.#rename(op, op.body.name);
    this.hasNewDomains = true;
  }

  #rename(op: FoldOp, name: AppName): void {
    const write = { id: op.id, hlc: op.hlc, value: name };
    this.#set({ name: writeRegister(this.#fields.name, write, op.parents) });
    this.hasNewName = true;
  }

  #setDomain(hostname: string, write: Write<string | null>, parents: readonly OpId[]): void {
    this.#domains.set(hostname, writeRegister(this.#domains.get(hostname), write, parents));
    this.hasNewDomains = true;
  }
}

/** The app as readers see it; null until it was created. */
export function toApp(state: AppState, name: AppName): App | null {
  const { id, created, updatedAt, destroyed, releases } = state;
  if (created === null) return null;
  return {
    id,
    wantedName: state.name[0]?.value ?? name,
    name,
    owner: state.owner[0]?.value ?? created.body.owner,
    collaborators: toCollaborators(state.collaborators),
    createdAt: created.hlc.ms,
    updatedAt,
    maintenance: state.maintenance[0]?.value ?? false,
    features: new Set(
      [...state.features].flatMap(([feature, writes]) => (writes[0]?.value === true ? [feature] : [])),
    ),
    destroyed,
    releases: releases.releases,
    heads: [...releases.heads].sort(),
    current: currentOf(releases),
    config: snapshotOfHeads(releases).config,
    formation: latest(state.formation, ({ value, hlc }, type) => ({ type, ...value, updatedAt: hlc.ms })),
    restarts: latest(state.restarts, ({ id }) => id),
    buildpacks: state.buildpacks[0]?.value ?? [],
    domains: latest(state.domains, ({ value, hlc }, hostname) =>
      value === null
        ? null
        : { hostname, domain: value, createdAt: hlc.ms, cert: certOfDomain(state.certs, value) },
    ),
    certs: toCerts(state.certs),
    acm: toAcm(state.acm),
    builds: latest(state.builds, (write) => toBuild(write, releases)),
    volumes: toVolumes(state.volumes),
    destroyedVolumes: destroyedVolumes(state.volumes),
    backups: toBackups(state.volumes),
    addons: toAddons(state.addons, id, destroyed),
    attachments: attachmentsOf(snapshotOfHeads(releases)),
    coupling: toCoupling(state.coupling),
    setup: toSetup(state.setup),
    uploads: state.uploads,
    drains: toDrains(state.drains),
  };
}

function toCoupling([latest]: Register<CouplingPlace | null>): App['coupling'] {
  if (latest === undefined || latest.value === null) return null;
  return { ...latest.value, updatedAt: latest.hlc.ms };
}

function attachmentsOf({ attachments }: Snapshot): App['attachments'] {
  return new Map(
    [...attachments].flatMap(([id, { value, by }]) => (value === null ? [] : [[id, { id, by, ...value }]])),
  );
}

function toBuild({ value, hlc }: Write<OpOf<'build.record'>['body']>, releases: ReleaseGraph): Build {
  const { build, status, commit, buildpacks, output, user, startedAt } = value;
  const release = value.release === null ? null : (releases.byOp.get(value.release) ?? null);
  return {
    build,
    status,
    commit,
    buildpacks,
    output,
    release,
    user,
    createdAt: startedAt,
    updatedAt: hlc.ms,
  };
}

/** What counts in each register; null drops the entry. */
function latest<Key, T, Out>(
  registers: ReadonlyMap<Key, Register<T>>,
  show: (write: Write<T>, key: Key) => Out | null,
): ReadonlyMap<Key, Out> {
  const shown = new Map<Key, Out>();
  for (const [key, register] of registers) {
    const write = register[0];
    const out = write === undefined ? null : show(write, key);
    if (out !== null) shown.set(key, out);
  }
  return shown;
}

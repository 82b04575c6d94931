import type { AddonId, AppName, DrainId, OpId, ProcessType, VolumeId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import { applyCollaborator } from '../access/fold-collaborator.ts';
import { applyAddon } from '../addons/fold-addon.ts';
import type { AddonRegisters } from '../addons/fold-addon.ts';
import { applyAcm } from '../domains/fold-acm.ts';
import { applyCert } from '../domains/fold-cert.ts';
import { applyDrain } from '../drains/fold-drain.ts';
import type { DrainState } from '../drains/fold-drain.ts';
import { compareHlc, compareStamps } from '../hlc.ts';
import type { LayeredEdit } from '../layered-map.ts';
import type { FoldOp, OpOf } from '../op-graph.ts';
import type { Hlc } from '../hlc.ts';
import { applySetup } from '../pipelines/fold-setup.ts';
import { applyPort } from '../ports/fold-port.ts';
import { writeRegister } from '../register.ts';
import type { Register, Write } from '../register.ts';
import { ReleaseEdit } from '../releases/fold-release.ts';
import type { SlugUpload } from '../releases/release-types.ts';
import { applyVolume } from '../volumes/fold-volume.ts';
import type { VolumeState } from '../volumes/fold-volume.ts';
import { restartScope } from './app-state.ts';
import type { AppState, BodyAboutApp } from './app-state.ts';

/** The changes of one batch to one app: its maps are copied once, then written in place. */
export class AppEdit {
  /** Whether the name it wants, or its claim to it, may be another. */
  hasNewName = false;
  hasNewDomains = false;
  /** Whether an add-on wants another name, or has given up its own. */
  hasNewAddonNames = false;
  /** Whether a process type was opened or closed. */
  hasNewPorts = false;

  readonly #base: AppState;
  #fields: Pick<
    AppState,
    | 'owner'
    | 'collaborators'
    | 'created'
    | 'destroyed'
    | 'destroyedAt'
    | 'updatedAt'
    | 'name'
    | 'maintenance'
    | 'buildpacks'
    | 'coupling'
    | 'setup'
    | 'uploads'
    | 'certs'
    | 'acm'
    | 'ports'
  >;
  readonly #formation: Map<ProcessType, Register<{ quantity: number; size: string }>>;
  readonly #features: Map<string, Register<boolean>>;
  readonly #restarts: Map<string, Register<null>>;
  readonly #domains: Map<string, Register<string | null>>;
  readonly #builds: LayeredEdit<string, Register<OpOf<'build.record'>['body']>>;
  readonly #volumes: Map<VolumeId, VolumeState>;
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
    this.#addons = new Map(base.addons);
    this.#drains = new Map(base.drains);
  }

  apply(op: FoldOp, body: BodyAboutApp): void {
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
        this.#set({ destroyed: true, destroyedAt: earlier(fields.destroyedAt, op.hlc) });
        this.hasNewName = this.hasNewDomains = this.hasNewPorts = true;
        break;
      case 'collaborator.set':
        this.#set({ collaborators: applyCollaborator(fields.collaborators, op, body) });
        break;
      case 'release':
        this.#releaseEdit().add({ ...op, body });
        break;
      case 'release.attempt':
        this.#releaseEdit().attempt({ ...op, body });
        break;
      case 'release.settle':
        this.#releaseEdit().settle({ ...op, body });
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
      case 'port.set':
        this.hasNewPorts = true;
        this.#set({
          ports: new Map(fields.ports).set(body.type, applyPort(fields.ports.get(body.type), op, body)),
        });
        break;
      case 'addon.create':
      case 'addon.settle':
      case 'addon.rename':
        this.hasNewAddonNames = true;
        this.#addons.set(body.addon, applyAddon(this.#addons.get(body.addon), op, body));
        break;
      case 'addon.config':
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
        this.#set({ certs: applyCert(fields.certs, op, body) });
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
      addons: this.#addons,
      drains: this.#drains,
      releases: this.#releases?.done() ?? this.#base.releases,
    };
  }

  #set(fields: Partial<AppState>): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  #releaseEdit(): ReleaseEdit {
    return (this.#releases ??= new ReleaseEdit(this.#base.releases));
  }

  #create(op: OpOf<'app.create'>): void {
    const { created } = this.#fields;
    if (created === null || compareStamps(op, created) < 0) this.#set({ created: op });
    this.#rename(op, op.body.name);
    this.hasNewDomains = this.hasNewPorts = true;
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

function earlier(a: Hlc | null, b: Hlc): Hlc {
  return a !== null && compareHlc(a, b) <= 0 ? a : b;
}

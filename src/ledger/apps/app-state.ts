import type { AddonId, AppId, AppName, DrainId, ProcessType, VolumeId } from '../../ids.ts';
import type { CollaboratorsState } from '../access/fold-collaborator.ts';
import type { AddonRegisters } from '../addons/fold-addon.ts';
import { NO_ACM } from '../domains/fold-acm.ts';
import type { AcmState } from '../domains/fold-acm.ts';
import { noCerts } from '../domains/fold-cert.ts';
import type { CertsState } from '../domains/fold-cert.ts';
import type { DrainState } from '../drains/fold-drain.ts';
import { LayeredMap } from '../layered-map.ts';
import type { OpOf } from '../op-graph.ts';
import type { OpBody } from '../op.ts';
import type { UserEmail } from '../values.ts';
import type { Hlc } from '../hlc.ts';
import { NO_SETUP } from '../pipelines/fold-setup.ts';
import type { SetupState } from '../pipelines/fold-setup.ts';
import type { CouplingPlace } from '../pipelines/pipeline-types.ts';
import type { PortState } from '../ports/fold-port.ts';
import type { Register } from '../register.ts';
import { emptyReleases } from '../releases/fold-release.ts';
import type { ReleaseGraph } from '../releases/fold-release.ts';
import type { SlugUpload } from '../releases/release-types.ts';
import type { VolumeState } from '../volumes/fold-volume.ts';

/** One app as registers: what its `App` in the view is made from, and what decisions name as parents. */
export type AppState = {
  readonly id: AppId;
  /** Null while only later ops are here. The earliest, should there be two. */
  readonly created: OpOf<'app.create'> | null;
  readonly destroyed: boolean;
  /** The earliest, should it have been destroyed twice. */
  readonly destroyedAt: Hlc | null;
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
  readonly ports: ReadonlyMap<ProcessType, PortState>;
  readonly addons: ReadonlyMap<AddonId, AddonRegisters>;
};

/** The ops that are about one app. */
export type BodyAboutApp = Extract<OpBody, { readonly app: AppId }>;

export function newApp(id: AppId): AppState {
  return {
    id,
    created: null,
    destroyed: false,
    destroyedAt: null,
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
    ports: new Map(),
    addons: new Map(),
  };
}

export function restartScope(type: ProcessType | null, index: number | null): string {
  if (type === null) return '';
  return index === null ? type : `${type}.${index}`;
}

import type { AddonId, AppName, ProcessType } from '../../ids.ts';
import { toCollaborators } from '../access/fold-collaborator.ts';
import { toAddons } from '../addons/fold-addon.ts';
import { toAcm } from '../domains/fold-acm.ts';
import { certOfDomain, toCerts } from '../domains/fold-cert.ts';
import { toDrains } from '../drains/fold-drain.ts';
import type { OpOf } from '../op-graph.ts';
import { toSetup } from '../pipelines/fold-setup.ts';
import type { CouplingPlace } from '../pipelines/pipeline-types.ts';
import { toPorts } from '../ports/fold-port.ts';
import type { Register, Write } from '../register.ts';
import type { Snapshot } from '../releases/config-snapshot.ts';
import { currentOf, snapshotOfHeads } from '../releases/fold-release.ts';
import type { ReleaseGraph } from '../releases/fold-release.ts';
import type { Build } from '../releases/release-types.ts';
import { destroyedVolumes, toBackups, toVolumes } from '../volumes/fold-volume.ts';
import type { AppState } from './app-state.ts';
import type { App } from './app-types.ts';

/** The app as readers see it; null until it was created. */
export function toApp(
  state: AppState,
  name: AppName,
  addonNames: ReadonlyMap<AddonId, string>,
  ports: ReadonlyMap<ProcessType, number> | undefined,
): App | null {
  const { id, created, updatedAt, destroyed, releases } = state;
  if (created === null) return null;
  const snapshot = snapshotOfHeads(releases);
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
    config: snapshot.config,
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
    addons: toAddons(state.addons, id, destroyed, addonNames),
    attachments: attachmentsOf(snapshot),
    coupling: toCoupling(state.coupling),
    setup: toSetup(state.setup),
    uploads: state.uploads,
    drains: toDrains(state.drains),
    ports: toPorts(state.ports, ports),
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

import * as fc from 'fast-check';
import type { CertId, ReleaseId } from '../../src/ids.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import { ACM_HAPPENINGS, acmCommand, isAcm } from './acm-history.ts';
import type { AcmHappening } from './acm-history.ts';
import { ADDON_HAPPENINGS, addonCommand, isAddon } from './addon-history.ts';
import type { AddonHappening } from './addon-history.ts';
import { ACCESS_HAPPENINGS, accessCommand, isAccess } from './access-history.ts';
import type { AccessHappening } from './access-history.ts';
import {
  WEB,
  addDrain,
  appId,
  blobId,
  clusterWithApp,
  createApp,
  deploy,
  setConfig,
  sync,
  drainId,
  sealed,
} from './builders.ts';
import type { TestPeer } from './builders.ts';
import { PIPELINE_HAPPENINGS, pipelineCommand } from './pipeline-history.ts';
import type { PipelineHappening } from './pipeline-history.ts';
import { PORT_HAPPENINGS, isPort, portCommand } from './port-history.ts';
import type { PortHappening } from './port-history.ts';

/** What happens at one peer of a small cluster whose network comes and goes. */
export type Happening =
  | {
      readonly do:
        | 'create'
        | 'destroy'
        | 'merge'
        | 'domain'
        | 'undomain'
        | 'drain'
        | 'undrain'
        | 'cert'
        | 'uncert'
        | 'certify'
        | 'restart'
        | 'unknown'
        | 'flawed'
        | 'build'
        | AccessHappening
        | AcmHappening
        | AddonHappening
        | PipelineHappening
        | PortHappening;
    }
  | {
      readonly do: 'config';
      readonly key: string;
      readonly value: string | null;
      readonly request: string | null;
    }
  | { readonly do: 'deploy'; readonly text: string; readonly request: string | null }
  | { readonly do: 'rollback'; readonly back: number }
  | { readonly do: 'scale'; readonly quantity: number }
  | { readonly do: 'rename'; readonly name: string }
  /** The clock of this peer jumps; its hybrid clock does not follow until it writes. */
  | { readonly do: 'clock'; readonly ms: number }
  | { readonly do: 'sync'; readonly peer: number }
  | { readonly do: 'remove' | 'admit'; readonly peer: number };

export type Step = { readonly at: number; readonly app: number; readonly what: Happening };
export type History = { readonly peers: readonly TestPeer[]; readonly ops: readonly StoredOp[] };

const PEERS = 4;
const NAMES = ['blog', 'shop'];
const CERT = '00000000-0000-4000-8000-000000000001' as CertId;

const request = fc.option(fc.constantFrom('r1', 'r2'), { freq: 4 });

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sync' as const), peer: fc.nat(PEERS - 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('config' as const),
      key: fc.constantFrom('A', 'B'),
      value: fc.option(fc.constantFrom('1', '2', '3')),
      request,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deploy' as const),
      text: fc.constantFrom('s1', 's2', 's3'),
      request,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), back: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scale' as const), quantity: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('rename' as const), name: fc.constantFrom(...NAMES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock' as const), ms: fc.integer({ min: -1e12, max: 1e12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'admit' as const),
      peer: fc.nat(PEERS - 1),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...([
          'create',
          'merge',
          'domain',
          'undomain',
          'drain',
          'undrain',
          'cert',
          'uncert',
          'certify',
          'restart',
          'unknown',
          'flawed',
          'build',
          'create',
        ] as const),
      ),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...PIPELINE_HAPPENINGS) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom(...ADDON_HAPPENINGS) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...ACCESS_HAPPENINGS) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...ACM_HAPPENINGS) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...PORT_HAPPENINGS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('destroy' as const) }) },
);

const step: fc.Arbitrary<Step> = fc.record({
  at: fc.nat(PEERS - 1),
  app: fc.constantFrom(1, 1, 1, 2),
  what: happening,
});

/** Steps to be played with `play`: they shrink well. */
export function arbitrarySteps(maxLength = 50): fc.Arbitrary<readonly Step[]> {
  return fc.array(step, { maxLength, size: 'max' });
}

/** Plays steps on a founded cluster of four that shares an app; what a peer refuses just does not happen. */
export function play(
  steps: readonly Step[],
  afterEach: (peers: readonly TestPeer[]) => void = () => {},
): History {
  const peers = clusterWithApp(PEERS);
  for (const { at, app, what } of steps) {
    const peer = peers[at];
    if (peer !== undefined) happen(peers, peer, app, what);
    afterEach(peers);
  }
  const ops = new Map(peers.flatMap((peer) => peer.ops).map((op) => [op.id, op]));
  return { peers, ops: [...ops.values()] };
}

function happen(peers: readonly TestPeer[], peer: TestPeer, n: number, what: Happening): void {
  const app = appId(n);
  switch (what.do) {
    case 'sync': {
      const other = peers[what.peer];
      if (other !== undefined && other !== peer) sync(peer, other);
      return;
    }
    case 'clock':
      peer.wall = Math.max(0, peer.wall + what.ms);
      return;
    case 'remove':
    case 'admit': {
      const other = peers[what.peer];
      if (other === undefined) return;
      peer.try(
        what.do === 'remove'
          ? { type: 'member.remove', peer: other.id }
          : { type: 'member.admit', peer: other.id, invite: null, name: 'again' },
      );
      return;
    }
    case 'create':
      peer.try(createApp(n, NAMES[n % 2]));
      return;
    case 'destroy':
      peer.try({ type: 'app.destroy', app });
      return;
    case 'rename':
      peer.try({ type: 'app.update', app, name: what.name, maintenance: true });
      return;
    case 'config':
      peer.try(setConfig({ [what.key]: what.value }, n), { request: what.request });
      return;
    case 'deploy':
      peer.try(deploy(what.text, n), { request: what.request });
      return;
    case 'rollback': {
      const releases = [...(peer.view.apps.get(app)?.releases.keys() ?? [])].sort();
      peer.try({ type: 'release.rollback', app, to: releases[what.back] as ReleaseId });
      return;
    }
    case 'merge':
      peer.try({ type: 'release.merge', app });
      return;
    case 'scale':
      peer.try({ type: 'formation.scale', app, updates: [{ type: 'web', quantity: what.quantity }] });
      return;
    case 'restart':
      peer.try({ type: 'formation.restart', app, process: WEB, index: null });
      return;
    case 'domain':
      peer.try({ type: 'domain.add', app, hostname: 'www.example.com', domain: `domain ${n}` });
      return;
    case 'undomain':
      peer.try({ type: 'domain.remove', app, hostname: 'www.example.com' });
      return;
    case 'cert':
      peer.try({
        type: 'cert.set',
        app,
        cert: CERT,
        name: 'otter-1',
        displayName: null,
        chain: `${peer.id} at ${peer.wall}`,
        key: new Uint8Array([1]),
        facts: { names: [], startsAt: 0, expiresAt: 0, issuer: '', subject: '', trusted: false },
      });
      return;
    case 'uncert':
      peer.try({ type: 'cert.remove', app, cert: CERT });
      return;
    case 'certify':
      peer.try({ type: 'domain.update', app, hostname: 'www.example.com', cert: CERT });
      return;
    case 'drain':
      peer.try(addDrain(n, peer.id));
      peer.try({ type: 'drain.set', app, drain: drainId(n), url: sealed(`syslog://${peer.id}`) });
      return;
    case 'undrain':
      peer.try({ type: 'drain.remove', app, drain: drainId(n) });
      return;
    case 'build':
      peer.try({
        type: 'build.record',
        app,
        build: 'build',
        status: 'failed',
        commit: null,
        buildpacks: [],
        output: blobId(peer.id),
        release: peer.view.apps.get(app)?.current ?? null,
        startedAt: peer.wall,
      });
      return;
    case 'unknown':
      peer.write({ kind: 'app.sing' });
      return;
    case 'flawed':
      peer.write({ kind: 'release' });
      return;
    default: {
      const command = isAddon(what.do)
        ? addonCommand(what.do, n, peer)
        : isAccess(what.do)
          ? accessCommand(what.do, n, peer.wall)
          : isAcm(what.do)
            ? acmCommand(what.do, n, peer.wall)
            : isPort(what.do)
              ? portCommand(what.do, n, peer.wall)
              : pipelineCommand(what.do, n, peer.id);
      if (command !== null) peer.try(command);
    }
  }
}

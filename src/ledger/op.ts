import type { ClusterId, Epoch, OpId, PeerId } from '../ids.ts';
import type { AccessBody } from './access/access-types.ts';
import type { AddonBody } from './addons/addon-types.ts';
import type { ProviderBody } from './addons/provider-types.ts';
import type { AppBody } from './apps/app-types.ts';
import type { ClusterBody } from './cluster/cluster-types.ts';
import type { AcmBody } from './domains/acm-types.ts';
import type { CertBody } from './domains/cert-types.ts';
import type { DomainBody } from './domains/domain-types.ts';
import type { DrainBody } from './drains/drain-types.ts';
import type { PipelineBody } from './pipelines/pipeline-types.ts';
import type { SetupBody } from './pipelines/setup-types.ts';
import type { PortBody } from './ports/port-types.ts';
import type { ReleaseBody } from './releases/release-types.ts';
import type { VolumeBody } from './volumes/volume-types.ts';
import type { Hlc } from './hlc.ts';

/**
 * One signed fact. `prev` chains an author's ops of one epoch (null at seq 0); `parents` names the ops whose effect
 * this one replaces, whoever wrote them: causality is explicit, never guessed from clocks.
 */
export type Op = {
  readonly v: 1;
  readonly cluster: ClusterId;
  readonly author: PeerId;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly prev: OpId | null;
  readonly hlc: Hlc;
  readonly parents: readonly OpId[];
  /** Known kinds are those of `OpBody`; an unknown kind is kept, synced and skipped. */
  readonly kind: string;
  readonly body: unknown;
  /** Ed25519 over the domain-separated id. */
  readonly sig: Uint8Array;
};

/** An op with its identity and the exact bytes it travels and is stored as. */
export type StoredOp = { readonly id: OpId; readonly op: Op; readonly bytes: Uint8Array };

/** Body by kind. `request` is the client's Request-Id: a repeated one is the same write. */
export type OpBody =
  | AccessBody
  | AcmBody
  | AddonBody
  | AppBody
  | CertBody
  | ClusterBody
  | DomainBody
  | DrainBody
  | PipelineBody
  | PortBody
  | ProviderBody
  | ReleaseBody
  | SetupBody
  | VolumeBody;

export type OpKind = OpBody['kind'];
/** The body of a kind. */
export type OpBodyOf<Kind extends OpKind> = Extract<OpBody, { kind: Kind }>;

/**
 * What a command wants written: the author's log adds the rest. `stamp` names the client's request and what it asked for,
 * so that the request repeated is the same write at whichever peer; it stands beside the body's own fields.
 */
export type OpDraft = { readonly parents: readonly OpId[]; readonly body: OpBody; readonly stamp?: string };

import { accessBodies } from './access/access-bodies.ts';
import { addonBodies } from './addons/addon-bodies.ts';
import { providerBodies } from './addons/provider-bodies.ts';
import { appBodies } from './apps/app-bodies.ts';
import type { BodySchemas } from './body-fields.ts';
import { clusterBodies } from './cluster/cluster-bodies.ts';
import { acmBodies } from './domains/acm-bodies.ts';
import { certBodies } from './domains/cert-bodies.ts';
import { domainBodies } from './domains/domain-bodies.ts';
import { drainBodies } from './drains/drain-bodies.ts';
import type { Op, OpBody, OpKind } from './op.ts';
import { pipelineBodies } from './pipelines/pipeline-bodies.ts';
import { setupBodies } from './pipelines/setup-bodies.ts';
import { portBodies } from './ports/port-bodies.ts';
import { releaseBodies } from './releases/release-bodies.ts';
import { volumeBodies } from './volumes/volume-bodies.ts';

/** Fields that are not named here are dropped: a newer agent may have added them. */
const BODIES: BodySchemas<OpBody> = {
  ...accessBodies,
  ...acmBodies,
  ...addonBodies,
  ...appBodies,
  ...certBodies,
  ...clusterBodies,
  ...domainBodies,
  ...drainBodies,
  ...pipelineBodies,
  ...portBodies,
  ...providerBodies,
  ...releaseBodies,
  ...setupBodies,
  ...volumeBodies,
};

/** What an op says: a body, a kind that only newer agents know, or nothing that can be read. */
export type Reading =
  | { readonly tag: 'body'; readonly body: OpBody }
  | { readonly tag: 'unknown' }
  | { readonly tag: 'flawed'; readonly reason: string };

/** Reads an op's body by its kind. The same at every peer of one version; never throws. */
export function readBody(op: Pick<Op, 'kind' | 'body'>): Reading {
  const { kind } = op;
  if (!isKnown(kind)) return { tag: 'unknown' };
  const parsed = BODIES[kind].safeParse(op.body);
  if (parsed.success) return { tag: 'body', body: { kind, ...parsed.data } as OpBody };
  const issue = parsed.error.issues[0];
  return {
    tag: 'flawed',
    reason: `${kind}: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`,
  };
}

function isKnown(kind: string): kind is OpKind {
  return Object.hasOwn(BODIES, kind);
}

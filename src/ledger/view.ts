import type { AppId, ClusterId, OpId, PeerId, PipelineId, PromotionId } from '../ids.ts';
import type { Invite, Token, User } from './access/access-types.ts';
import type { Provider } from './addons/provider-types.ts';
import type { App } from './apps/app-types.ts';
import type { Member, Stack } from './cluster/cluster-types.ts';
import type { Acme } from './domains/acm-types.ts';
import type { Sealed, UserEmail } from './values.ts';
import type { Pipeline, Promotion } from './pipelines/pipeline-types.ts';
import type { PortHolder } from './ports/port-numbers.ts';

/**
 * What the set of ops means: the same on every peer that holds the same ops, whatever the order they came in.
 * Immutable to readers; `applyOps` makes the next one.
 */
export type View = {
  readonly cluster: ClusterId | null;
  readonly clusterName: string;
  readonly ca: { readonly cert: string; readonly key: Sealed } | null;
  readonly members: ReadonlyMap<PeerId, Member>;
  readonly invites: ReadonlyMap<string, Invite>;
  readonly tokens: ReadonlyMap<string, Token>;
  /** Who has a role, by their name in lower case. */
  readonly users: ReadonlyMap<UserEmail, User>;
  /** Data key that new config values are sealed with. */
  readonly dataKey: string | null;
  /** Live apps and destroyed ones (`destroyed`): tombstones keep late ops from reviving them. */
  readonly apps: ReadonlyMap<AppId, App>;
  /** Live apps by the name they are shown under. */
  readonly names: ReadonlyMap<string, AppId>;
  /** Live custom domains, lower case. */
  readonly domains: ReadonlyMap<string, AppId>;
  /** Internal ports by their number: the process types that are open. */
  readonly ports: ReadonlyMap<number, PortHolder>;
  readonly pipelines: ReadonlyMap<PipelineId, Pipeline>;
  /** All that were ever asked for. */
  readonly promotions: ReadonlyMap<PromotionId, Promotion>;
  /** Who makes add-ons, by id: those that were registered, and built-in ones that have settings. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Where certificates are ordered; null before an admin has said so. */
  readonly acme: Acme | null;
  /** The stack image of each architecture. */
  readonly stacks: ReadonlyMap<string, Stack>;
  /** Requests that made a write (`requestMark`), and one op of each. */
  readonly requests: ReadonlyMap<string, OpId>;
  /** Ops that are here with all that they came after. */
  readonly known: number;
  /** Ops that apply only once their parents have come. */
  readonly waiting: number;
  /** Ops that threw when applied: stored, forwarded, skipped, shown by `doctor`. */
  readonly quarantined: ReadonlyMap<OpId, string>;
};

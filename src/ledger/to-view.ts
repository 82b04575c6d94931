import { toInvites, toTokens } from './access/fold-access.ts';
import { toUsers } from './access/fold-users.ts';
import { toProviders } from './addons/fold-providers.ts';
import type { Membership } from './cluster/fold-members.ts';
import { toStacks } from './cluster/fold-stacks.ts';
import { toAcme } from './domains/fold-acm.ts';
import type { FoldState } from './fold-batch.ts';
import { toPipelines } from './pipelines/fold-pipelines.ts';
import type { View } from './view.ts';

/** What the last view was made from: parts that did not change are used again, so that readers can tell by identity. */
type Previous = { readonly view: View; readonly state: FoldState; readonly membership: Membership };

/** The view that readers get of a fold's insides. */
export function toView(
  state: FoldState,
  membership: Membership,
  { known, waiting }: Pick<View, 'known' | 'waiting'>,
  previous: Previous | null,
): View {
  const { founding, members } = membership;
  const { access } = state;
  const hasSameAccess = previous?.state.access === access;
  const hasSameMembers = previous?.membership === membership;
  return {
    cluster: founding?.cluster ?? null,
    clusterName: founding?.body.name ?? '',
    ca: hasSameMembers
      ? previous.view.ca
      : founding && { cert: founding.body.caCert, key: founding.body.caKey },
    members,
    invites: hasSameAccess && hasSameMembers ? previous.view.invites : toInvites(access, membership),
    tokens: hasSameAccess ? previous.view.tokens : toTokens(access),
    users: hasSameAccess ? previous.view.users : toUsers(access),
    dataKey: access.dataKey[0]?.value ?? null,
    apps: state.shown,
    names: state.names,
    domains: state.domains,
    ports: state.ports.holders,
    pipelines:
      previous?.state.pipelines === state.pipelines ? previous.view.pipelines : toPipelines(state.pipelines),
    promotions: state.pipelines.promotions,
    providers:
      previous?.state.providers === state.providers ? previous.view.providers : toProviders(state.providers),
    acme: previous?.state.acme === state.acme ? previous.view.acme : toAcme(state.acme),
    stacks: previous?.state.stacks === state.stacks ? previous.view.stacks : toStacks(state.stacks),
    requests: state.requests,
    known,
    waiting,
    quarantined: state.quarantined,
  };
}

import type { Route } from '../router.ts';
import { absentRoutes } from './absent.ts';
import { accountRoutes } from './account.ts';
import { appRoutes } from './apps.ts';
import { buildRoutes } from './builds.ts';
import { buildpackRoutes } from './buildpacks.ts';
import { catalogRoutes } from './catalog.ts';
import { configVarRoutes } from './config-vars.ts';
import { domainRoutes } from './domains.ts';
import { dynoRoutes } from './dynos.ts';
import { featureRoutes } from './features.ts';
import { formationRoutes } from './formation.ts';
import { kithAppRoutes } from './kith-apps.ts';
import { insideRoutes } from './inside.ts';
import { clusterRoutes } from './kith-cluster.ts';
import { peerRoutes } from './kith-peers.ts';
import { stackRoutes } from './kith-stacks.ts';
import { tokenRoutes } from './kith-tokens.ts';
import { logSessionRoutes } from './log-sessions.ts';
import { oneOffRoutes } from './one-offs.ts';
import { releaseRoutes } from './releases.ts';
import { sourceRoutes } from './sources.ts';
import { volumeRoutes } from './volumes.ts';

/** Every endpoint, for the one router. */
export const ALL_ROUTES: readonly Route[] = [
  ...catalogRoutes,
  ...accountRoutes,
  ...appRoutes,
  ...configVarRoutes,
  ...releaseRoutes,
  ...featureRoutes,
  ...formationRoutes,
  ...dynoRoutes,
  ...oneOffRoutes,
  ...insideRoutes,
  ...buildRoutes,
  ...sourceRoutes,
  ...logSessionRoutes,
  ...domainRoutes,
  ...buildpackRoutes,
  ...clusterRoutes,
  ...peerRoutes,
  ...stackRoutes,
  ...tokenRoutes,
  ...kithAppRoutes,
  ...volumeRoutes,
  ...absentRoutes,
];

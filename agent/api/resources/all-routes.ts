import type { Route } from '../router.ts';
import { addonDataRoutes } from './addon-data.ts';
import { attachmentRoutes } from './addon-attachments.ts';
import { partnerRoutes } from './addon-partner.ts';
import { addonServiceRoutes } from './addon-services.ts';
import { addonRoutes } from './addons.ts';
import { absentRoutes } from './absent.ts';
import { acmRoutes } from './acm.ts';
import { appSetupRoutes } from './app-setups.ts';
import { accountRoutes } from './account.ts';
import { appRoutes } from './apps.ts';
import { authorizationRoutes } from './authorizations.ts';
import { buildRoutes } from './builds.ts';
import { buildpackRoutes } from './buildpacks.ts';
import { catalogRoutes } from './catalog.ts';
import { collaboratorRoutes, transferRoutes } from './collaborators.ts';
import { couplingRoutes } from './couplings.ts';
import { configVarRoutes } from './config-vars.ts';
import { domainRoutes } from './domains.ts';
import { dynoRoutes } from './dynos.ts';
import { featureRoutes } from './features.ts';
import { formationRoutes } from './formation.ts';
import { kithAppRoutes } from './kith-apps.ts';
import { insideRoutes } from './inside.ts';
import { acmeRoutes } from './kith-acme.ts';
import { clusterRoutes } from './kith-cluster.ts';
import { peerRoutes } from './kith-peers.ts';
import { stackRoutes } from './kith-stacks.ts';
import { teamRoutes } from './teams.ts';
import { providerRoutes } from './kith-providers.ts';
import { tokenRoutes } from './kith-tokens.ts';
import { logInputRoutes } from './log-input.ts';
import { logDrainRoutes } from './log-drains.ts';
import { logSessionRoutes } from './log-sessions.ts';
import { oneOffRoutes } from './one-offs.ts';
import { pipelineRoutes } from './pipelines.ts';
import { portRoutes } from './ports.ts';
import { promotionRoutes } from './promotions.ts';
import { releaseRoutes } from './releases.ts';
import { schemaRoutes } from './schema.ts';
import { sniEndpointRoutes } from './sni-endpoints.ts';
import { reviewAppRoutes } from './review-apps.ts';
import { slugRoutes } from './slugs.ts';
import { sourceRoutes } from './sources.ts';
import { volumeRoutes } from './volumes.ts';

const RESOURCES: readonly Route[] = [
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
  ...logDrainRoutes,
  ...portRoutes,
  ...logInputRoutes,
  ...domainRoutes,
  ...sniEndpointRoutes,
  ...acmRoutes,
  ...buildpackRoutes,
  ...clusterRoutes,
  ...acmeRoutes,
  ...peerRoutes,
  ...stackRoutes,
  ...tokenRoutes,
  ...kithAppRoutes,
  ...volumeRoutes,
  ...authorizationRoutes,
  ...collaboratorRoutes,
  ...transferRoutes,
  ...teamRoutes,
  ...pipelineRoutes,
  ...couplingRoutes,
  ...promotionRoutes,
  ...appSetupRoutes,
  ...reviewAppRoutes,
  ...slugRoutes,
  ...addonRoutes,
  ...addonDataRoutes,
  ...partnerRoutes,
  ...attachmentRoutes,
  ...addonServiceRoutes,
  ...providerRoutes,
  ...absentRoutes,
];

/** Every endpoint, for the one router. */
export const ALL_ROUTES: readonly Route[] = [...RESOURCES, ...schemaRoutes(RESOURCES)];

import { PlatformError } from '../errors.ts';
import type { OpId } from '../ids.ts';
import { assertNever } from '../step.ts';
import { setCollaborator, transferApp } from './access/decide-collaborator.ts';
import { createToken, revokeToken, updateToken } from './access/decide-token.ts';
import { setUser } from './access/decide-user.ts';
import {
  answerPlan,
  changePlan,
  configureAddon,
  createAddon,
  destroyAddon,
  renameAddon,
  settleAddon,
} from './addons/decide-addon.ts';
import { addAttachment, removeAttachment, syncAttachments } from './addons/decide-attachment.ts';
import { removeProvider, setProvider } from './addons/decide-provider.ts';
import { advanceRotation, askRotation } from './addons/decide-rotation.ts';
import { createApp, destroyApp, setBuildpacks, updateApp } from './apps/decide-app.ts';
import { restartFormation, scaleFormation } from './apps/decide-formation.ts';
import type { AuthorLogs } from './author-logs.ts';
import {
  admitMember,
  createInvite,
  foundCluster,
  removeMember,
  rotateKey,
} from './cluster/decide-cluster.ts';
import { setStack } from './cluster/decide-stack.ts';
import { digest } from './codec.ts';
import type { Command, CommandContext, Decision } from './command.ts';
import { failAcm, issueCert, openChallenge, setAcm, setAcme } from './domains/decide-acm.ts';
import { removeCert, setCert } from './domains/decide-cert.ts';
import { addDomain, removeDomain, updateDomain } from './domains/decide-domain.ts';
import { addDrain, removeDrain, setDrain } from './drains/decide-drain.ts';
import { requestKey } from './fold-batch.ts';
import type { Fold } from './fold.ts';
import { readBody } from './op-body.ts';
import type { OpDraft } from './op.ts';
import {
  configurePipeline,
  couple,
  createPromotion,
  promote,
  removePipeline,
  setPipeline,
  setReview,
} from './pipelines/decide-pipeline.ts';
import { createSetup, settleSetup } from './pipelines/decide-setup.ts';
import { closePort, openPort } from './ports/decide-port.ts';
import { createSlug, recordBuild } from './releases/decide-build.ts';
import { attemptRelease, settleRelease } from './releases/decide-release-phase.ts';
import { deploy, mergeReleases, patchConfig, rollback } from './releases/decide-release.ts';
import { requestStamp } from './request-stamp.ts';
import {
  backupVolume,
  createVolume,
  destroyVolume,
  holdVolume,
  mountVolume,
  moveVolume,
  readyVolume,
  returnVolume,
} from './volumes/decide-volume.ts';

/** Longer Request-Ids are told apart by their hash. */
const REQUEST_LENGTH_MAX = 200;

/**
 * Whether a write may be made on what this peer knows, and by which ops. Drafts name all that they replace as
 * parents, and one another by `draftRef`; `appendDrafts` makes ops of them. Refusals are values, in Heroku's words.
 * Whether an invite has expired is for the caller to say: there is no clock here.
 */
export function decide(fold: Fold, logs: AuthorLogs, command: Command, context: CommandContext): Decision {
  try {
    const { request, user } = context;
    const isLong = request !== null && request.length > REQUEST_LENGTH_MAX;
    const by = { user, request: isLong ? digest(request) : request };
    const repeats = repeatedWrite(fold, command, by);
    if (repeats !== null) return { ok: true, drafts: [], repeats };
    const stamp = by.request === null ? null : requestStamp(by.request, by.user, command);
    const written = stamp === null ? undefined : fold.state.writes.get(stamp);
    if (written !== undefined) return { ok: true, drafts: [], repeats: written };
    const drafts = draftsFor(fold, logs, command, by);
    for (const draft of drafts) mustBeReadable(draft);
    return { ok: true, drafts: stamped(drafts, stamp), repeats: null };
  } catch (error) {
    if (error instanceof PlatformError) return { ok: false, error: error.toRecord() };
    throw error;
  }
}

function draftsFor(fold: Fold, logs: AuthorLogs, command: Command, by: CommandContext): readonly OpDraft[] {
  switch (command.type) {
    case 'cluster.found':
      return foundCluster(fold, command);
    case 'invite.create':
      return createInvite(fold, command);
    case 'member.admit':
      return admitMember(fold, command);
    case 'member.remove':
      return removeMember(fold, logs, command);
    case 'key.rotate':
      return rotateKey(fold, command);
    case 'token.create':
      return createToken(fold, command);
    case 'token.update':
      return updateToken(fold, command);
    case 'token.revoke':
      return revokeToken(fold, command);
    case 'user.set':
      return setUser(fold, command);
    case 'stack.set':
      return setStack(fold, command);
    case 'app.create':
      return createApp(fold, command, by);
    case 'app.update':
      return updateApp(fold, command);
    case 'app.destroy':
      return destroyApp(fold, command);
    case 'app.transfer':
      return transferApp(fold, command);
    case 'collaborator.set':
      return setCollaborator(fold, command);
    case 'config.patch':
      return patchConfig(fold, command, by);
    case 'release.deploy':
      return deploy(fold, command, by);
    case 'release.rollback':
      return rollback(fold, command, by);
    case 'release.merge':
      return mergeReleases(fold, command, by);
    case 'release.attempt':
      return attemptRelease(fold, command);
    case 'release.settle':
      return settleRelease(fold, command, by);
    case 'formation.scale':
      return scaleFormation(fold, command, by);
    case 'formation.restart':
      return restartFormation(fold, command, by);
    case 'port.open':
      return openPort(fold, command);
    case 'port.close':
      return closePort(fold, command);
    case 'volume.create':
      return createVolume(fold, command);
    case 'volume.mount':
      return mountVolume(fold, command);
    case 'volume.hold':
      return holdVolume(fold, command);
    case 'volume.move':
      return moveVolume(fold, command);
    case 'volume.ready':
      return readyVolume(fold, command);
    case 'volume.return':
      return returnVolume(fold, command);
    case 'volume.backup':
      return backupVolume(fold, command);
    case 'volume.destroy':
      return destroyVolume(fold, command);
    case 'provider.set':
      return setProvider(fold, command);
    case 'provider.remove':
      return removeProvider(fold, command);
    case 'addon.create':
      return createAddon(fold, command, by);
    case 'addon.settle':
      return settleAddon(fold, command);
    case 'addon.config':
      return configureAddon(fold, command);
    case 'addon.rename':
      return renameAddon(fold, command);
    case 'addon.plan':
      return changePlan(fold, command);
    case 'addon.answer':
      return answerPlan(fold, command);
    case 'addon.rotate':
      return askRotation(fold, command);
    case 'addon.rotated':
      return advanceRotation(fold, command);
    case 'addon.destroy':
      return destroyAddon(fold, command, by);
    case 'attachment.add':
      return addAttachment(fold, command, by);
    case 'attachment.remove':
      return removeAttachment(fold, command, by);
    case 'attachment.sync':
      return syncAttachments(fold, command);
    case 'domain.add':
      return addDomain(fold, command);
    case 'domain.remove':
      return removeDomain(fold, command);
    case 'domain.update':
      return updateDomain(fold, command);
    case 'cert.set':
      return setCert(fold, command);
    case 'cert.remove':
      return removeCert(fold, command);
    case 'acme.set':
      return setAcme(fold, command);
    case 'acm.set':
      return setAcm(fold, command);
    case 'acme.challenge':
      return openChallenge(fold, command);
    case 'acm.fail':
      return failAcm(fold, command);
    case 'acm.issue':
      return issueCert(fold, command);
    case 'drain.add':
      return addDrain(fold, command);
    case 'drain.set':
      return setDrain(fold, command);
    case 'drain.remove':
      return removeDrain(fold, command);
    case 'buildpacks.set':
      return setBuildpacks(fold, command);
    case 'pipeline.set':
      return setPipeline(fold, command, by);
    case 'pipeline.remove':
      return removePipeline(fold, command);
    case 'pipeline.config':
      return configurePipeline(fold, command);
    case 'pipeline.review':
      return setReview(fold, command);
    case 'coupling.set':
      return couple(fold, command);
    case 'promotion.create':
      return createPromotion(fold, command, by);
    case 'release.promote':
      return promote(fold, command);
    case 'setup.create':
      return createSetup(fold, command, by);
    case 'setup.settle':
      return settleSetup(fold, command);
    case 'slug.create':
      return createSlug(fold, command, by);
    case 'build.record':
      return recordBuild(fold, command, by);
    default:
      return assertNever(command);
  }
}

/** One of them is enough: they are written together. */
function stamped(drafts: readonly OpDraft[], stamp: string | null): readonly OpDraft[] {
  return stamp === null ? drafts : drafts.map((draft, i) => (i === 0 ? { ...draft, stamp } : draft));
}

/** The op of an earlier try of the same request, at whichever peer it was made. */
function repeatedWrite({ state }: Fold, command: Command, { request }: CommandContext): OpId | null {
  if (request === null) return null;
  switch (command.type) {
    case 'app.create':
      return state.writes.get(requestKey(request, command.type)) ?? null;
    case 'config.patch':
      return state.writes.get(requestKey(request, `${command.app}/config`)) ?? null;
    case 'release.deploy':
      return state.writes.get(requestKey(request, `${command.app}/deploy`)) ?? null;
    case 'release.rollback':
      return state.writes.get(requestKey(request, `${command.app}/rollback`)) ?? null;
    default:
      return null; // The others are known by their stamps.
  }
}

/** What every peer would quarantine is refused before it is written. */
function mustBeReadable({ body }: OpDraft): void {
  const { kind, ...rest } = body;
  const reading = readBody({ kind, body: rest });
  if (reading.tag === 'flawed') {
    throw new PlatformError('invalid_params', `Cannot write this change: ${reading.reason}`);
  }
}

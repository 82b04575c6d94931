import type { AppId, OpId } from '../ids.ts';
import type { Command } from '../ledger/command.ts';
import type { UserEmail } from '../ledger/values.ts';
import type { Release } from '../ledger/releases/release-types.ts';
import type { View } from '../ledger/view.ts';

/**
 * What `app[api]` says of a command that was carried out, in Heroku's words (clients colour and parse them).
 * @param view the state that holds the result
 * @param ops what `PeerHost.command` resolved with
 * @returns no line for commands that Heroku does not log
 */
export function apiLogLines(
  command: Command,
  view: View,
  ops: readonly OpId[],
  user: UserEmail,
): readonly string[] {
  switch (command.type) {
    case 'app.create':
    case 'config.patch':
    case 'release.deploy':
    case 'release.promote':
    case 'release.rollback':
    case 'setup.create':
    case 'release.merge':
    case 'addon.create':
    case 'addon.destroy':
    case 'attachment.add':
    case 'attachment.remove':
    case 'attachment.sync':
    case 'addon.settle':
      return releasesMadeBy(view, command.app, ops).flatMap((release) => releaseTexts(release, user));
    case 'release.settle': {
      const label = view.apps.get(command.app)?.releases.get(command.release)?.label ?? '';
      return [
        `Release ${label} command ${command.status}${command.reason === null ? '' : `: ${command.reason}`}`,
      ];
    }
    case 'formation.scale':
      return scaleTexts(view, command, user);
    case 'build.record':
      return [
        command.status === 'succeeded'
          ? 'Build succeeded'
          : `Build failed -- check your build output: kith builds:output ${command.build}`,
      ];
    case 'app.update':
      return command.maintenance === undefined
        ? []
        : [`Maintenance mode ${command.maintenance ? 'enabled' : 'disabled'} by user ${user}`];
    case 'volume.create':
      return [`Create volume ${command.name} by user ${user}`];
    case 'volume.mount': {
      const name = view.apps.get(command.app)?.volumes.get(command.volume)?.name ?? '';
      const { mount } = command;
      return [
        mount === null
          ? `Unmount volume ${name} by user ${user}`
          : `Mount volume ${name} at ${mount.process}:${mount.path} by user ${user}`,
      ];
    }
    case 'domain.add':
      return [`Add domain ${command.hostname} by user ${user}`];
    case 'domain.remove':
      return [`Remove domain ${command.hostname} by user ${user}`];
    default:
      return [];
  }
}

/** Said when a build begins: no command marks that moment. */
export function buildStartedText(user: UserEmail): string {
  return `Build started by user ${user}`;
}

/** Said when somebody asks for a one-off dyno. */
export function oneOffText(command: string, user: UserEmail): string {
  return `Starting process with command \`${command}\` by user ${user}`;
}

/** The releases that these ops wrote, oldest first. */
function releasesMadeBy(view: View, app: AppId, ops: readonly OpId[]): readonly Release[] {
  const made = new Set(ops);
  const releases = view.apps.get(app)?.releases.values() ?? [];
  return [...releases]
    .filter((release) => made.has(release.op))
    .sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1));
}

/** What a release was, its number, and whether its command has yet to run. */
function releaseTexts(release: Release, user: UserEmail): readonly string[] {
  const made = [`${release.description} by user ${user}`, `Release ${release.label} created by user ${user}`];
  if (release.status !== 'pending') return made;
  return [...made, `Running release ${release.label} commands by user ${user}`];
}

function scaleTexts(
  view: View,
  command: Extract<Command, { type: 'formation.scale' }>,
  user: UserEmail,
): readonly string[] {
  const asked = new Set(command.updates.map((update) => update.type));
  const entries = [...(view.apps.get(command.app)?.formation.values() ?? [])]
    .filter((entry) => asked.has(entry.type))
    .sort((a, b) => (a.type < b.type ? -1 : 1))
    .map((entry) => `${entry.type}@${entry.quantity}:${entry.size}`);
  return entries.length === 0 ? [] : [`Scaled to ${entries.join(' ')} by user ${user}`];
}

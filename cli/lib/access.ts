import type { CollaboratorResource } from '../../src/platform/collaborator.ts';
import type { TeamResource } from '../../src/platform/team.ts';
import type { Client } from './api/client.ts';
import { CliError } from './line/cli-error.ts';
import type { FlagSpec } from './line/specs.ts';

export const PERMISSIONS_FLAG = {
  kind: 'string',
  short: 'p',
  value: 'LIST',
  summary: 'of view, deploy, operate, manage, with commas between',
} as const satisfies FlagSpec;

/** `deploy,operate` as a list; the API says what is none. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** `deploy, operate`: in words for people. */
export function namesOf({ permissions }: Pick<CollaboratorResource, 'permissions'>): string {
  return permissions.map(({ name }) => name).join(', ');
}

/** The path of the one team that there is, the cluster, with what follows. */
export async function teamPath(api: Client, rest: string): Promise<string> {
  const [team] = await api.get<readonly TeamResource[]>('/teams');
  if (team === undefined)
    throw new CliError('The peer tells of no team: its agent may be older than this CLI');
  return `/teams/${encodeURIComponent(team.name)}${rest}`;
}

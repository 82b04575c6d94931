import type { DomainResource } from '../../src/platform/domain.ts';
import { listDomains } from './certs.ts';
import type { Client } from './api/client.ts';
import { poll } from './api/poll.ts';
import type { Screen } from './print/screen.ts';
import { formatAgo } from './print/time.ts';

/** Of commands that may wait for certificates. */
export const WAIT_FLAG = {
  wait: { kind: 'boolean', summary: 'wait until every domain has one, or cannot get one' },
} as const;

const LOOK_MS = 500;
const WAIT_MS = 10 * 60_000;

const WORDS: Readonly<Record<NonNullable<DomainResource['acm_status']>, string>> = {
  pending: 'Waiting',
  'in-progress': 'In progress',
  'cert issued': 'Certificate issued',
  failing: 'Failing, tried again',
  failed: 'Failed',
};

/** The custom domains of an app, and how it stands with their certificates. */
export async function acmDomains(api: Client, appPath: string): Promise<readonly DomainResource[]> {
  return (await listDomains(api, appPath)).filter(({ kind }) => kind === 'custom');
}

/** Waits until each has a certificate, or will get none by waiting. */
export function untilOrdered(api: Client, appPath: string): Promise<readonly DomainResource[]> {
  const look = async (): Promise<readonly DomainResource[] | null> => {
    const domains = await acmDomains(api, appPath);
    return domains.some(({ acm_status: status }) => status === 'pending' || status === 'in-progress')
      ? null
      : domains;
  };
  return poll(look, {
    everyMs: LOOK_MS,
    withinMs: WAIT_MS,
    lateMessage: 'Not all domains had a certificate within ten minutes',
    hint: 'See how it goes: kith certs:auto',
  });
}

export function printAcm(screen: Screen, domains: readonly DomainResource[], now: number): void {
  if (domains.length === 0) return screen.line('No domain of yours yet: add one with kith domains:add');
  screen.table(
    ['DOMAIN', 'STATUS', 'SINCE'],
    domains.map(({ hostname, acm_status: status, updated_at: at }) => [
      hostname,
      status === null ? '' : WORDS[status],
      formatAgo(now - Date.parse(at)),
    ]),
  );
  // As long as authorities are explicit, no table has room for them.
  for (const { hostname, acm_status_reason: reason } of domains) {
    if (reason !== null) screen.line(`\n${hostname}: ${reason}`);
  }
}

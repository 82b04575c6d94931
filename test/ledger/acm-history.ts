import type { CertId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { appId, sealed } from './builders.ts';

const CERT = '00000000-0000-4000-8000-000000000002' as CertId;
export const DIRECTORY = 'https://acme.example.com/dir';

/** What happens to the automatic certificate of an app's one domain. */
export const ACM_HAPPENINGS = ['account', 'auto', 'manual', 'challenge', 'refused', 'issued'] as const;
export type AcmHappening = (typeof ACM_HAPPENINGS)[number];

export function isAcm(what: string): what is AcmHappening {
  return ACM_HAPPENINGS.some((each) => each === what);
}

/** @param salt tells writes of different peers and moments apart */
export function acmCommand(what: AcmHappening, n: number, salt: number): Command {
  const of = { app: appId(n), domain: `domain ${n}` };
  switch (what) {
    case 'account':
      return setAcme(`${salt}@example.com`);
    case 'auto':
      return { type: 'acm.set', app: of.app, on: true };
    case 'manual':
      return { type: 'acm.set', app: of.app, on: false };
    case 'challenge': {
      const challenge = { token: `t${salt}`, authorization: `t${salt}.thumb`, expiresAt: salt };
      return { type: 'acme.challenge', ...of, challenge };
    }
    case 'refused': {
      const failure = { reason: `found ${salt % 2}`, status: 'failing', notBefore: null } as const;
      return { type: 'acm.fail', ...of, failure, over: [`t${salt}`] };
    }
    case 'issued':
      return issue(of, `chain ${salt}`, [`t${salt}`]);
    default:
      throw new Error('Nothing of that sort happens');
  }
}

export function setAcme(email: string | null = null): Command {
  return { type: 'acme.set', directory: DIRECTORY, email, ca: null, key: sealed('account') };
}

export function issue(
  of: Pick<Extract<Command, { type: 'acm.issue' }>, 'app' | 'domain'>,
  chain: string,
  over: readonly string[] = [],
): Command {
  const facts = {
    names: ['www.example.com'],
    startsAt: 0,
    expiresAt: 90,
    issuer: '',
    subject: '',
    trusted: true,
  };
  return { type: 'acm.issue', ...of, cert: CERT, name: 'otter-2', chain, key: sealed(chain), facts, over };
}

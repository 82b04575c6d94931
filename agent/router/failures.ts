import { CODES, type HCode } from '../../src/routing/codes.ts';

/** How one connection to a dyno, or to the peer that runs it, let a request down. */
export type Failure =
  | 'refused'
  | 'timeout'
  /** It closed without a byte of a response. */
  | 'closed'
  /** It closed in the midst of a response. */
  | 'interrupted'
  | 'malformed'
  | 'oversized'
  /** That peer says it does not run this dyno (any more). */
  | 'no-such-dyno'
  /** The other peer's router could not be reached, */
  | 'peer-refused'
  | 'peer-timeout'
  /** or cut the connection without a byte of a response, */
  | 'peer-lost'
  /** or holds another key than the one it is listed with. */
  | 'peer-stranger';

export const CODE_OF_FAILURE: Readonly<Record<Failure, HCode>> = {
  refused: 'H21',
  timeout: 'H19',
  closed: 'H13',
  interrupted: 'H18',
  malformed: 'H17',
  oversized: 'H25',
  'no-such-dyno': 'H21',
  'peer-refused': 'H21',
  'peer-timeout': 'H19',
  'peer-lost': 'H13',
  'peer-stranger': 'H99',
};

/** What the far router may say in `kith-error`: how the dyno behind it failed. */
const FAR_FAILURES: readonly Failure[] = [
  'refused',
  'timeout',
  'closed',
  'interrupted',
  'malformed',
  'oversized',
  'no-such-dyno',
];

export function parseFarFailure(text: string): Failure {
  return FAR_FAILURES.find((failure) => failure === text) ?? 'malformed';
}

/** A dyno saw nothing of the request: any request may be sent to another. */
const NEVER_REACHED: ReadonlySet<Failure> = new Set<Failure>([
  'refused',
  'timeout',
  'no-such-dyno',
  'peer-refused',
  'peer-timeout',
  'peer-stranger',
]);

/** Whether another dyno may be asked: after a silent close only when doing it twice is like doing it once. */
export function isRepeatable(failure: Failure, mayRepeat: boolean): boolean {
  if (NEVER_REACHED.has(failure)) return true;
  return mayRepeat && (failure === 'closed' || failure === 'peer-lost');
}

export function codeOfRefusal(refusal: HCode | Failure): HCode {
  return isFailure(refusal) ? CODE_OF_FAILURE[refusal] : refusal;
}

function isFailure(refusal: HCode | Failure): refusal is Failure {
  return !Object.hasOwn(CODES, refusal);
}

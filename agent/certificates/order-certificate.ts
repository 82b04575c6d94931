import { generateKeyPair } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Authorization, Client, Order } from 'acme-client';
import { AcmeError, detailText, withAcme, type AcmeCall } from './acme-transport.ts';

export type OrderOptions = AcmeCall & {
  readonly directory: string;
  readonly email: string | null;
  /** PEM. */
  readonly accountKey: string;
  readonly hostname: string;
  /** Resolves once `authorization` is found at `http://HOSTNAME/.well-known/acme-challenge/TOKEN`. */
  readonly publish: (token: string, authorization: string) => Promise<void>;
};

/** PEM: the certificate and whoever issued it, and its private key. */
export type Ordered = { readonly chain: string; readonly key: string };

/** RFC 8555 6.7. */
const NO_ACCOUNT = 'urn:ietf:params:acme:error:accountDoesNotExist';
const LOOK_MS = 250;
const LOOK_MS_MAX = 5_000;
/** An authority looks from several places, and may well be busy. */
const WAIT_MS = 120_000;

/**
 * Orders a certificate for one host name: RFC 8555 with HTTP-01. The account is made where there is none yet, so that
 * nothing has to be remembered of an order that did not end.
 * @throws AcmeError
 */
export function orderCertificate(options: OrderOptions): Promise<Ordered> {
  const { directory, email, accountKey, hostname, signal } = options;
  return withAcme(options, async ({ Client, crypto }) => {
    const client = new Client({ directoryUrl: directory, accountKey });
    await openAccount(client, email);
    const order = await client.createOrder({ identifiers: [{ type: 'dns', value: hostname }] });
    for (const each of await client.getAuthorizations(order)) {
      if (each.status === 'pending') await prove(client, each, options);
    }
    await verified(client, order, options);
    const key = await freshKey();
    const [, csr] = await crypto.createCsr({ altNames: [hostname] }, key);
    await client.finalizeOrder(await settled(client, order, 'ready', signal), csr);
    const filled = await settled(client, order, 'valid', signal);
    return { chain: await client.getCertificate(filled), key };
  });
}

async function openAccount(client: Client, email: string | null): Promise<void> {
  const contact = email === null ? [] : [`mailto:${email}`];
  try {
    const known = await client.createAccount({ onlyReturnExisting: true });
    if (known.contact?.join() !== contact.join()) await client.updateAccount({ contact });
  } catch (error) {
    if (!(error instanceof AcmeError) || error.problem !== NO_ACCOUNT) throw error;
    await client.createAccount({ termsOfServiceAgreed: true, contact });
  }
}

async function prove(
  client: Client,
  { challenges }: Authorization,
  { publish }: OrderOptions,
): Promise<void> {
  const challenge = challenges.find(({ type }) => type === 'http-01');
  if (challenge === undefined) throw new AcmeError('The authority does not verify names over HTTP (HTTP-01)');
  await publish(challenge.token, await client.getChallengeKeyAuthorization(challenge));
  await client.completeChallenge(challenge);
}

async function verified(client: Client, order: Order, { hostname, signal }: OrderOptions): Promise<void> {
  await polled(signal, async () => {
    const all = await client.getAuthorizations(order);
    const wrong = all.find(({ status }) => status !== 'valid' && status !== 'pending');
    if (wrong !== undefined)
      throw new AcmeError(`The authority cannot verify "${hostname}": ${whyNot(wrong)}`);
    return all.every(({ status }) => status === 'valid') ? true : null;
  });
}

function whyNot({ status, challenges }: Authorization): string {
  const found = challenges.map((each) => ('error' in each ? detailOf(each.error) : null));
  return found.find((detail) => detail !== null) ?? `it is ${detailText(status)}`;
}

function detailOf(problem: unknown): string | null {
  if (problem === null || typeof problem !== 'object' || !('detail' in problem)) return null;
  return typeof problem.detail === 'string' ? detailText(problem.detail) : null;
}

function settled(
  client: Client,
  order: Order,
  wanted: 'ready' | 'valid',
  signal: AbortSignal,
): Promise<Order> {
  return polled(signal, async () => {
    const now = await client.getOrder(order);
    if (now.status === 'invalid')
      throw new AcmeError(`The authority does not fill the order: ${orderError(now)}`);
    return now.status === wanted || now.status === 'valid' ? now : null;
  });
}

function orderError(order: Order): string {
  return ('error' in order ? detailOf(order.error) : null) ?? 'it is invalid';
}

/** Looks ever more seldom until there is something. */
async function polled<T>(signal: AbortSignal, look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (let waitMs = LOOK_MS; ; waitMs = Math.min(waitMs * 2, LOOK_MS_MAX)) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline)
      throw new AcmeError('The authority did not come to an end in two minutes');
    await sleep(waitMs, undefined, { signal });
  }
}

async function freshKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

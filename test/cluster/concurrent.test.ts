import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import { eventually } from '../helpers/eventually.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

/** The same wish at all peers at one moment: one of them gets it, the others hear why not, and all agree afterwards. */
const cluster = useCluster(3);
const LONG = { timeout: 480_000 };
const WITHIN = { withinMs: WAIT_MS };

type Answered = { readonly status: number; readonly body: unknown };

async function ask(peer: Peer, method: string, path: string, body?: object): Promise<Answered> {
  const response = await fetch(`${peer.api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${peer.token}`,
      'content-type': 'application/json',
      connection: 'close',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** Asks all peers at once, as those of one whole cluster: who is taken for dead is asked nothing by the others. */
async function race(
  method: string,
  path: string,
  body: (peer: Peer) => object,
): Promise<readonly Answered[]> {
  await cluster.allAlive();
  return Promise.all(cluster.peers.map((peer) => ask(peer, method, path, body(peer))));
}

/** What each peer shows of `path`, once all show the same. */
async function agreed(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  // URLs are those of the peer that was asked.
  const shownBy = async (peer: Peer): Promise<string> =>
    JSON.stringify((await ask(peer, 'GET', path)).body)
      .replaceAll(new URL(peer.api).host, 'PEER')
      .replaceAll(new URL(peer.agent.ready.http).port, 'HTTP');
  const shown = (): Promise<readonly string[]> => Promise.all(cluster.peers.map(shownBy));
  await eventually(async () => new Set(await shown()).size === 1, WITHIN);
  return JSON.parse((await shown())[0] ?? '') as readonly Readonly<Record<string, unknown>>[];
}

async function appAt(name: string): Promise<void> {
  const [first] = cluster.peers;
  if (first === undefined) throw new Error('No peers');
  await ask(first, 'POST', '/apps', { name });
  await eventually(async () => {
    const found = await Promise.all(cluster.peers.map((peer) => ask(peer, 'GET', `/apps/${name}`)));
    return found.every(({ status }) => status === 200);
  }, WITHIN);
}

const statuses = (answers: readonly Answered[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

test('a name is given once, whatever it is the name of', LONG, async () => {
  await appAt('desk');
  const hostname = 'desk.example.com';
  for (const [path, body, refusal = 'invalid_params'] of [
    ['/apps', { name: 'wanted-by-all' }],
    ['/pipelines', { name: 'wanted-by-all' }],
    ['/apps/desk/domains', { hostname }],
    ['/apps/desk/log-drains', { url: 'syslog://127.0.0.1:9' }],
    ['/kith/apps/desk/volumes', { name: 'wanted-by-all' }, 'conflict'],
  ] as const) {
    const answers = await race('POST', path, () => body);
    const { status } = ERROR_CODES[refusal];
    expect([path, ...statuses(answers)]).toEqual([path, 201, status, status]);
    const refused = answers.filter((each) => each.status !== 201);
    for (const each of refused) expect(each.body).toMatchObject({ id: refusal });
    const all = await agreed(path);
    expect(all.filter((each) => Object.values(body).includes(each['name'] as never))).toHaveLength(
      'name' in body ? 1 : 0,
    );
  }
  expect((await agreed('/apps/desk/domains')).filter((each) => each['hostname'] === hostname)).toHaveLength(
    1,
  );
});

test('what different peers set at one moment is all kept, each in a release of its own', LONG, async () => {
  await appAt('ledger');
  const answers = await race('PATCH', '/apps/ledger/config-vars', ({ name }) => ({
    [name.toUpperCase()]: 'set',
  }));
  expect(statuses(answers)).toEqual([200, 200, 200]);
  expect(await agreed('/apps/ledger/config-vars')).toEqual(
    Object.fromEntries(cluster.peers.map(({ name }) => [name.toUpperCase(), 'set'])),
  );
  const versions = (await agreed('/apps/ledger/releases')).map(({ version }) => version);
  expect(versions).toEqual([1, 2, 3, 4, 5]);
});

test('an app that one peer destroys while others change it is gone for all', LONG, async () => {
  await appAt('doomed');
  const [first, ...others] = cluster.peers;
  if (first === undefined) throw new Error('No peers');
  const changes = others.flatMap((peer) => [
    ask(peer, 'PATCH', '/apps/doomed/config-vars', { A: peer.name }),
    ask(peer, 'POST', '/apps/doomed/domains', { hostname: `${peer.name}.example.net` }),
  ]);
  const answers = await Promise.all([ask(first, 'DELETE', '/apps/doomed'), ...changes]);
  expect(answers[0]?.status).toBe(200);
  for (const { status, body } of answers) {
    expect([200, 201, 404]).toContain(status);
    if (status === 404) expect(body).toMatchObject({ id: 'not_found', resource: 'app' });
  }
  for (const peer of cluster.peers) {
    await eventually(async () => (await ask(peer, 'GET', '/apps/doomed')).status === 404, WITHIN);
  }
});

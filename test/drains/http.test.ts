import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { trustedIdentity } from './identities.ts';
import { BatchReceiver } from './receivers.ts';
import { DrainStage } from './stage.ts';

const WAIT = { withinMs: 40_000 };
const trusted = await trustedIdentity();

test('lines arrive in batches over HTTPS, with Logplex’s headers and the URL’s credentials', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await BatchReceiver.open(trusted);
  const ash = await stage.add('ash');
  const drain = stage.drain(`https://ann:s%40cret@localhost:${receiver.port}/in`);
  ash.carry(drain);
  ash.say('one', 'two');
  await eventually(() => receiver.texts.length === 2, WAIT);
  expect(receiver.texts).toEqual(['one', 'two']);
  expect(receiver.posts[0]?.headers).toMatchObject({
    'content-type': 'application/logplex-1',
    'logplex-msg-count': '2',
    'logplex-frame-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'logplex-drain-token': `d.${drain}`,
    'user-agent': expect.stringMatching(/^Logplex\//),
    authorization: `Basic ${Buffer.from('ann:s@cret').toString('base64')}`,
  });
});

test.each([500, 503, 429, 302, 'close', 'hang'] as const)(
  'a batch that is answered %s is sent again under its own frame id',
  async (answer) => {
    await using dir = await tempDir();
    await using stage = new DrainStage(dir.path, answer === 'hang' ? 300 : undefined);
    await using receiver = await BatchReceiver.open();
    receiver.answers.push(answer);
    const ash = await stage.add('ash');
    ash.carry(stage.drain(`http://127.0.0.1:${receiver.port}/`));
    ash.say('one', 'two');
    await eventually(() => receiver.texts.includes('two'), WAIT);
    const [first, second] = receiver.posts;
    expect(second?.texts).toEqual(first?.texts);
    expect(second?.headers['logplex-frame-id']).toBe(first?.headers['logplex-frame-id']);
    ash.say('three');
    await eventually(() => receiver.texts.includes('three'), WAIT);
    expect(receiver.posts.at(-1)?.headers['logplex-frame-id']).not.toBe(first?.headers['logplex-frame-id']);
  },
);

test.each([400, 401, 410, 413])(
  'a batch that is answered %i is dropped, and the next one sent',
  async (answer) => {
    await using dir = await tempDir();
    await using stage = new DrainStage(dir.path);
    await using receiver = await BatchReceiver.open();
    receiver.answers.push(answer);
    const ash = await stage.add('ash');
    ash.carry(stage.drain(`http://127.0.0.1:${receiver.port}/`));
    ash.say('one');
    await eventually(() => receiver.posts.length === 1, WAIT);
    ash.say('two');
    await eventually(() => receiver.texts.length > 0, WAIT);
    expect(receiver.texts).toEqual(['two']);
  },
);

test('a receiver that is down for a while gets the newest lines, and L10 for the others', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await BatchReceiver.open();
  receiver.answers.push(500, 500);
  const ash = await stage.add('ash');
  ash.carry(stage.drain(`http://127.0.0.1:${receiver.port}/`));
  ash.say('first');
  await eventually(() => receiver.posts.length === 1, WAIT);
  for (let i = 1; i <= 1_400; i += 1) ash.say(`line ${i}`);
  await eventually(() => receiver.texts.includes('line 1400'), WAIT);
  expect(receiver.texts[0]).toBe('first');
  expect(receiver.texts[1]).toMatch(/^Error L10 \(output buffer overflow\): 376 messages dropped since /);
  expect(receiver.texts[2]).toBe('line 377');
  expect(receiver.texts).toHaveLength(2 + 1_024);
});

test('a batch has at most about 100 KB', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await BatchReceiver.open();
  const ash = await stage.add('ash');
  for (let i = 1; i <= 50; i += 1) ash.say(`${i} ${'x'.repeat(9_000)}`);
  ash.carry(stage.drain(`http://127.0.0.1:${receiver.port}/`));
  // A slow answer has a batch come twice.
  await eventually(() => new Set(receiver.texts).size === 50, WAIT);
  for (const { headers } of receiver.posts)
    expect(Number(headers['content-length'])).toBeLessThan(110 * 1_024);
});

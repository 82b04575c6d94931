import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/free-port.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { trustedIdentity, unknownIdentity } from './identities.ts';
import { SyslogReceiver } from './receivers.ts';
import { APP, DrainStage, numbers } from './stage.ts';

const WAIT = { withinMs: 20_000 };
const trusted = await trustedIdentity();

test('the lines of all peers arrive, each peer’s in order, under the drain’s token', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await SyslogReceiver.open();
  const [ash, birch] = [await stage.add('ash'), await stage.add('birch')];
  const drain = stage.drain(`syslog://127.0.0.1:${receiver.port}`);
  ash.say(...numbers(1, 10));
  birch.carry(drain);
  await eventually(() => receiver.texts.length === 10, WAIT);
  ash.say(...numbers(11, 20));
  birch.say('from birch');
  await eventually(() => receiver.texts.length === 21, WAIT);
  expect(receiver.texts.filter((text) => text.startsWith('line'))).toEqual(numbers(1, 20));
  expect(receiver.texts).toContain('from birch');
  expect(receiver.frames[0]).toMatch(new RegExp(`^<190>1 \\S+ d\\.${drain} app web\\.1 - - line 1\n$`));
  expect(receiver.connections).toBe(1);
});

test('a receiver that hangs up loses no line', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await SyslogReceiver.open();
  const ash = await stage.add('ash');
  ash.carry(stage.drain(`syslog://127.0.0.1:${receiver.port}`));
  for (let round = 0; round < 3; round += 1) {
    ash.say(...numbers(round * 10 + 1, round * 10 + 10));
    await eventually(() => receiver.texts.includes(`line ${round * 10 + 10}`), WAIT);
    receiver.hangUp();
  }
  ash.say('last');
  await eventually(() => receiver.texts.includes('last'), WAIT);
  for (const text of numbers(1, 30)) expect(receiver.texts).toContain(text);
  expect(receiver.connections).toBeGreaterThan(1);
});

test('what is said while the receiver is away arrives when it is back; beyond 1,024 lines the oldest are counted', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  const ash = await stage.add('ash');
  const port = await freePort();
  ash.carry(stage.drain(`syslog://127.0.0.1:${port}`));
  ash.say('first');
  await eventually(() => stage.logged.some((entry) => entry.includes('drain receiver not reached')), WAIT);
  ash.say(...numbers(1, 1_400), 'last');
  await using receiver = await SyslogReceiver.open(null, port);
  await eventually(() => receiver.texts.includes('last'), WAIT);
  expect(receiver.texts[0]).toMatch(
    /^Error L10 \(output buffer overflow\): \d+ messages dropped since \S+\+00:00\.$/,
  );
  expect(receiver.frames[0]).toMatch(/^<172>1 \S+ \S+ heroku logplex - - Error L10/);
  expect(receiver.texts.slice(1)).toEqual([...numbers(1_400 - 1_022, 1_400), 'last']);
});

test('TLS is spoken to a receiver whose certificate is good', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await SyslogReceiver.open(trusted);
  const ash = await stage.add('ash');
  ash.carry(stage.drain(`syslog+tls://127.0.0.1:${receiver.port}`));
  ash.say(...numbers(1, 100));
  await eventually(() => receiver.texts.length === 100, WAIT);
  expect(receiver.texts).toEqual(numbers(1, 100));
});

test('a receiver with a bad certificate gets nothing, and the app’s log says L14 once', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using receiver = await SyslogReceiver.open(await unknownIdentity());
  const ash = await stage.add('ash');
  ash.carry(stage.drain(`syslog+tls://127.0.0.1:${receiver.port}`));
  ash.say('secret');
  const said = async (): Promise<readonly string[]> =>
    (await ash.logs.recent(APP, 100, { source: 'heroku' })).lines.map(({ text }) => text);
  const expected =
    /^Error L14 \(certificate validation\): error=".+" uri="syslog\+tls:\/\/127\.0\.0\.1:\d+\/"$/;
  await eventually(async () => (await said()).some((text) => expected.test(text)), WAIT);
  const tries = (): number => stage.logged.filter((entry) => entry.includes('not reached')).length;
  await eventually(() => tries() > 1, WAIT);
  expect(await said()).toHaveLength(1);
  expect(receiver.texts).toEqual([]);
});

test('a drain that gets another URL goes on there', async () => {
  await using dir = await tempDir();
  await using stage = new DrainStage(dir.path);
  await using before = await SyslogReceiver.open();
  await using after = await SyslogReceiver.open();
  const ash = await stage.add('ash');
  const drain = stage.drain(`syslog://127.0.0.1:${before.port}`);
  ash.carry(drain);
  ash.say('one');
  await eventually(() => before.texts.length === 1, WAIT);
  stage.redirect(drain, `syslog://127.0.0.1:${after.port}`);
  await eventually(() => {
    ash.say('more');
    return after.texts.length > 0;
  }, WAIT);
  expect(after.texts).not.toContain('one');
});

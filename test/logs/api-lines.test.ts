import { expect, test } from 'vitest';
import type { AppId, OpId, ProcessType, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { View } from '../../src/ledger/view.ts';
import { apiLogLines, buildStartedText, oneOffText } from '../../src/logs/api-lines.ts';

const app = 'a0000000-0000-4000-8000-000000000001' as AppId;
const user = 'ada@example.com';

function release(number: number, description: string): Release {
  const op = `op${number}` as OpId;
  return { id: `r${number}` as ReleaseId, op, number, label: `v${number}`, description } as Release;
}

function viewWith(releases: readonly Release[], formation: App['formation'] = new Map()): View {
  const state = { id: app, releases: new Map(releases.map((r) => [r.id, r])), formation } as unknown as App;
  return { apps: new Map([[app, state]]) } as unknown as View;
}

test('a config change logs what it was and the release it made', () => {
  const view = viewWith([release(6, 'Deploy 0b0e75c1'), release(7, 'Set A, B config vars')]);
  const command: Command = { type: 'config.patch', app, config: {} };
  expect(apiLogLines(command, view, ['op7' as OpId], user)).toEqual([
    'Set A, B config vars by user ada@example.com',
    'Release v7 created by user ada@example.com',
  ]);
});

test('a change that made no release logs nothing', () => {
  const command: Command = { type: 'config.patch', app, config: {} };
  expect(apiLogLines(command, viewWith([release(6, 'Deploy 0b0e75c1')]), [], user)).toEqual([]);
});

test('creating an app logs its first two releases in order', () => {
  const view = viewWith([release(2, 'Enable Logplex'), release(1, 'Initial release')]);
  const command: Command = { type: 'app.create', app, name: null, fallbackName: 'calm-sea-1' };
  const ops = ['op0', 'op1', 'op2'] as OpId[];
  expect(apiLogLines(command, view, ops, user)).toEqual([
    'Initial release by user ada@example.com',
    'Release v1 created by user ada@example.com',
    'Enable Logplex by user ada@example.com',
    'Release v2 created by user ada@example.com',
  ]);
});

test('scaling logs the types that were asked for as they are now', () => {
  const entry = (type: string, quantity: number) =>
    [type as ProcessType, { type: type as ProcessType, quantity, size: 'Basic', updatedAt: 0 }] as const;
  const view = viewWith([], new Map([entry('worker', 1), entry('web', 3), entry('clock', 1)]));
  const updates = [
    { type: 'web', quantity: 3 },
    { type: 'worker', by: 1 },
  ];
  expect(apiLogLines({ type: 'formation.scale', app, updates }, view, ['op9' as OpId], user)).toEqual([
    'Scaled to web@3:Basic worker@1:Basic by user ada@example.com',
  ]);
});

test('builds and one-off dynos are told in words that clients know', () => {
  expect(buildStartedText(user)).toBe('Build started by user ada@example.com');
  expect(oneOffText('rake db:migrate', user)).toBe(
    'Starting process with command `rake db:migrate` by user ada@example.com',
  );
  const build = { type: 'build.record', app, build: 'b1', status: 'failed' } as Command;
  expect(apiLogLines(build, viewWith([]), [], user)[0]).toMatch(/^Build failed -- check your build output: /);
});

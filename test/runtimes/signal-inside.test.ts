import type { Container } from 'dockerode';
import { expect, test } from 'vitest';
import { signalInside } from '../../agent/runtimes/docker/inside.ts';

/** An Engine's refusal as its client library throws it. */
function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode, json: { message } });
}

/** A container whose processes the Engine cannot list. */
function container(top: Error, exec: () => Promise<unknown>): Container {
  const inspect = async (): Promise<unknown> => ({ State: { Pid: 1 } });
  return { id: 'c', inspect, top: () => Promise.reject(top), exec } as unknown as Container;
}

test('where the host has no ps, a signal is sent from inside the container', async () => {
  const commands: unknown[] = [];
  const exec = async (options?: unknown): Promise<unknown> => {
    commands.push(options);
    return { start: async () => {} };
  };
  const noPs = refusal(500, 'exec: "ps": executable file not found in $PATH');
  await signalInside(container(noPs, exec), 'SIGTERM');
  expect(commands).toEqual([{ Cmd: ['/bin/sh', '-c', 'kill -TERM -1'] }]);
});

test('a signal to a container that ended meanwhile is no error, whenever that shows', async () => {
  const gone = refusal(409, 'Container c is not running');
  const exec = (): Promise<unknown> => Promise.reject(gone);
  await signalInside(container(gone, exec), 'SIGTERM');
  await signalInside(container(refusal(500, 'ps: error'), exec), 'SIGTERM');
});

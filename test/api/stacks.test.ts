import { expect, test } from 'vitest';
import { startApi } from './harness.ts';
import { FakeStack } from './fake-stack.ts';

test('a stack that was put is shown with its size, where it is, and what the Engine has', async () => {
  const stack = new FakeStack();
  await using api = await startApi({ stack });
  const put = await api.call('PUT', '/kith/stacks/auto', 'a root file system');
  expect(put.status).toBe(201);
  stack.engine = { engine: true, image: 'kith/stack:bookworm', present: true, blob: null };
  const { body } = await api.call('GET', '/kith/stacks');
  expect(body).toMatchObject({
    stacks: [{ name: 'kith/stack:bookworm', arch: 'x64', bytes: 18, peers: [] }],
    engine: { answers: true, image: 'kith/stack:bookworm', present: true, blob: null },
  });
  expect(api.blobs.list()).toHaveLength(1);
});

test('a stack for another machine than was said is refused, and not kept', async () => {
  await using api = await startApi({ stack: new FakeStack() });
  const put = await api.call('PUT', '/kith/stacks/arm64', 'a root file system');
  expect(put).toMatchObject({
    status: 422,
    body: { message: 'Cannot take this file as the stack of arm64: it is for x64' },
  });
  expect(api.blobs.list()).toHaveLength(0);
  expect((await api.call('GET', '/kith/stacks')).body).toMatchObject({ stacks: [] });
});

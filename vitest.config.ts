import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Real servers and dynos share the machine: more workers than cores only makes deadlines lie.
    maxWorkers: 3,
    pool: 'forks',
  },
});

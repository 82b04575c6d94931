import { defineConfig } from 'vitest/config';

/** Tests that start whole agents, with their routers, keepers and dynos: these share the machine badly. */
const WHOLE_PEERS = [
  'test/cluster/**/*.test.ts',
  'test/security/**/*.test.ts',
  'test/heroku-cli/**/*.test.ts',
];

/** Tests of the Docker driver: they need an Engine, which is one for all of them. */
const ENGINE = ['test/docker/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      {
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...WHOLE_PEERS, ...ENGINE],
          // Some think for half a minute on a machine that does nothing else, and it may do much else.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Real servers and dynos share the machine: more workers than cores only makes deadlines lie.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'peers',
          include: WHOLE_PEERS,
          testTimeout: 400_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'docker',
          include: ENGINE,
          testTimeout: 180_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

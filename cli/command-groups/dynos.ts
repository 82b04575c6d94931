import { entry, type CommandGroup } from './entry.ts';

export const dynos: CommandGroup = {
  title: 'Dynos',
  commands: {
    ps: entry('list dynos', () => import('../commands/ps.ts')),
    'ps:scale': entry('show or change how many dynos run', () => import('../commands/ps-scale.ts')),
    'ps:type': entry('show or change the size of dynos', () => import('../commands/ps-type.ts')),
    'ps:restart': entry('restart dynos', () => import('../commands/ps-restart.ts')),
    'ps:stop': entry('stop a dyno', () => import('../commands/ps-stop.ts')),
    'ps:wait': entry('wait until all dynos run the newest release', () => import('../commands/ps-wait.ts')),
    'ps:exec': entry('run a command inside a running dyno', () => import('../commands/ps-exec.ts')),
    'ps:copy': entry('copy a file or folder out of a running dyno', () => import('../commands/ps-copy.ts')),
    run: entry('run a command in a dyno of its own, attached', () => import('../commands/run.ts')),
    'run:detached': entry(
      'run a command in a dyno of its own, to the log',
      () => import('../commands/run-detached.ts'),
    ),
    logs: entry("show an app's log", () => import('../commands/logs.ts')),
  },
};

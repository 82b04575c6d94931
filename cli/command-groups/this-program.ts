import { entry, type CommandGroup } from './entry.ts';

export const thisProgram: CommandGroup = {
  title: 'This program',
  commands: {
    heroku: entry('run the official Heroku CLI against a peer', () => import('../commands/heroku.ts')),
    help: entry('show all commands, or one', () => import('../commands/help.ts')),
    completion: entry('print a completion script for a shell', () => import('../commands/completion.ts')),
    version: entry('show the version', () => import('../commands/version.ts')),
  },
};

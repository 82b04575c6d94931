import { entry, type CommandGroup } from './entry.ts';

export const machines: CommandGroup = {
  title: 'Machines',
  commands: {
    agent: entry("run this machine's agent", () => import('../commands/agent.ts')),
    cluster: entry('show the cluster', () => import('../commands/cluster.ts')),
    invite: entry('print a token that lets a machine join', () => import('../commands/invite.ts')),
    join: entry('join the cluster of an invite token', () => import('../commands/join.ts')),
    peers: entry('list the machines of the cluster', () => import('../commands/peers.ts')),
    'peers:info': entry('show a machine', () => import('../commands/peers-info.ts')),
    'peers:drain': entry('move all dynos off a machine', () => import('../commands/peers-drain.ts')),
    'peers:collect': entry('free the disk of a machine', () => import('../commands/peers-collect.ts')),
    'peers:remove': entry('remove a machine for ever', () => import('../commands/peers-remove.ts')),
    stack: entry('show the stack image that containers run on', () => import('../commands/stack.ts')),
    'stack:import': entry('give the cluster a stack image', () => import('../commands/stack-import.ts')),
    doctor: entry('show what is wrong', () => import('../commands/doctor.ts')),
  },
};

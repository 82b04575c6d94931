import { createInterface } from 'node:readline';
import { type Member, memberOf, startPeer } from './peers.ts';

// Run as a child process: a peer that takes its member lists, one JSON line each, from stdin and echoes frames,
// channels and, as frames, what is gossiped on "ops".
const [seed = '', port = '0'] = process.argv.slice(2);
const mesh = await startPeer({ seed: Buffer.from(seed, 'hex'), port: Number(port) });
mesh.onFrame((from, frame) => void mesh.send(from, frame));
mesh.subscribe('ops', (from, data) => void mesh.send(from, data));
mesh.serve('echo', (channel) => channel.pipe(channel));
process.stdout.write(`${JSON.stringify(memberOf(mesh))}\n`);
for await (const line of createInterface(process.stdin)) mesh.setMembers(JSON.parse(line) as Member[]);

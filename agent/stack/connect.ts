import { connectDocker } from '../lib/docker.ts';
import { StackEngine } from './engine.ts';

/** The Engine of this host as the stack needs it, or null where none answers. */
export async function connectEngine(): Promise<StackEngine | null> {
  const docker = await connectDocker();
  return docker === null ? null : new StackEngine(docker);
}

import { Readable } from 'node:stream';
import type { PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildOutcome, BuildRequest } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { OutputLog } from '../lib/output-log.ts';

export type EndedBuild = {
  readonly request: BuildRequest;
  readonly startedAt: number;
  readonly output: OutputLog;
  readonly buildpacks: readonly string[];
  readonly outcome: BuildOutcome;
};

const COPIES_ELSEWHERE = 2;
const REPLICATE_MS = 10_000;

/** Writes the ended build into the ledger; its output becomes a blob that other peers hold too. */
export async function recordBuild(
  parts: {
    readonly host: Pick<PeerHost, 'command'>;
    readonly blobs: Blobs;
    readonly peersForReplication: () => readonly PeerId[];
  },
  { request, startedAt, output, buildpacks, outcome }: EndedBuild,
): Promise<void> {
  const { id } = await parts.blobs.write(Readable.from([output.bytes()]));
  await parts.blobs.replicate(
    id,
    parts.peersForReplication(),
    COPIES_ELSEWHERE,
    AbortSignal.timeout(REPLICATE_MS),
  );
  await parts.host.command(
    {
      type: 'build.record',
      app: request.app,
      build: request.build,
      status: outcome.status,
      commit: request.version,
      buildpacks,
      output: id,
      release: outcome.status === 'succeeded' ? outcome.release : null,
      startedAt,
    },
    // Not the request's own id: that one belongs to the release.
    { user: request.user, request: null },
  );
}

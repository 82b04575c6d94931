import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';

/**
 * Unpacks a `.tar.zst` over what is in `dir`. A file that is there already makes way and is never written to, so that it
 * may share its inode with another tree.
 * @param uid user to unpack as when the agent is root: a tar may hold device nodes, which only root can make
 */
export async function unpackTar(path: string, dir: string, uid: number | null): Promise<void> {
  const user = uid === null ? {} : { uid, gid: uid };
  const tar = spawn('tar', ['-x', '--no-same-owner', '-p'], {
    cwd: dir,
    stdio: ['pipe', 'ignore', 'pipe'],
    ...user,
  });
  let said = '';
  tar.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-500)));
  const closed = once(tar, 'close') as Promise<[number | null]>;
  const fed = pipeline(createReadStream(path), createZstdDecompress(), tar.stdin);
  const [end, feed] = await Promise.allSettled([closed, fed]);
  if (end.status === 'rejected') throw end.reason;
  if (end.value[0] !== 0) throw new Error(`tar: ${said.trim()}`);
  // tar stops reading at its end mark: that the padding behind it found nobody is no failure.
  if (feed.status === 'rejected' && !isReaderGone(feed.reason)) throw feed.reason;
}

function isReaderGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

import { Transform, Writable, type Duplex } from 'node:stream';
import { Attachment } from '../keeper/attachment.ts';
import { Frames } from './frames.ts';

/** What a terminal takes for the end of input. */
const END_OF_TRANSMISSION = '\u0004';
/** More than the Engine and the kernel hold of a container that has ended. */
const LAST_BYTES_MAX = 16 * 1024 * 1024;

export type HeldStdio = {
  readonly attachment: Attachment;
  /**
   * Takes in what there is, though the client is slow: the Engine does not say that a container has ended before all that
   * it wrote was read.
   */
  hurry(): void;
};

/**
 * The stdio of a container or of a command in it, from the Engine's connection for it: held until its client comes.
 * @param connection raw with a terminal, else with stdout and stderr multiplexed
 */
export function holdStdio(connection: Duplex, isTty: boolean): HeldStdio {
  connection.on('error', () => {});
  const output = outputOf(connection, isTty);
  const input = inputOf(connection);
  return {
    attachment: new Attachment(output, input, isTty ? END_OF_TRANSMISSION : null),
    hurry: () => hurry(connection, output),
  };
}

/** What the container writes, both streams in the order in which they came. */
function outputOf(connection: Duplex, isTty: boolean): Transform {
  const output = new Transform({
    transform(data: Buffer, _encoding, done) {
      if (isTty) this.push(data);
      else frames.push(data);
      done();
    },
  });
  const frames = new Frames((bytes) => output.push(Buffer.from(bytes)));
  output.on('error', () => {});
  connection.pipe(output);
  connection.on('close', () => output.end());
  return output;
}

function hurry(connection: Duplex, output: Transform): void {
  connection.unpipe(output);
  connection.on('data', (data: Buffer) => {
    output.write(data);
    if (output.writableLength + output.readableLength < LAST_BYTES_MAX) return;
    // It has not ended, and writes on.
    connection.removeAllListeners('data');
    connection.pipe(output);
  });
  connection.once('end', () => output.end());
  connection.resume();
}

/** Ends without ending the connection: output may still come. */
function inputOf(connection: Duplex): Writable {
  const input = new Writable({
    write(data: Buffer, _encoding, done) {
      if (connection.writable && !connection.write(data)) connection.once('drain', done);
      else done();
    },
    final(done) {
      connection.end();
      done();
    },
  });
  input.on('error', () => {});
  connection.on('close', () => input.destroy());
  return input;
}

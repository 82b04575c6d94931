import { Duplex } from 'node:stream';
import { encodeFrame, FRAME, FrameDecoder } from '../../src/platform/attach-frames.ts';

/** A one-off that says what is typed to it, until the end of its input. */
export function frameEcho(): Duplex {
  const decoder = new FrameDecoder();
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (const frame of decoder.push(chunk)) {
        if (frame.type === FRAME.data) this.push(encodeFrame(FRAME.data, frame.payload));
        if (frame.type === FRAME.eof) {
          this.push(encodeFrame(FRAME.exit, { status: 0, signal: null }));
          this.push(null);
        }
      }
      done();
    },
  });
}

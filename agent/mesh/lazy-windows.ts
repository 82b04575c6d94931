import { yamux } from '@libp2p/yamux';

/** What yamux keeps to itself of a stream. */
type Windowed = {
  /** Numbers of yamux's StreamState. */
  readonly state: number;
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
};

/** Where yamux makes a stream, ours or the other side's. */
const NEW_STREAM = '_newStream';
const SYN_SENT = 1;
const ESTABLISHED = 3;

/**
 * yamux that gives window back in halves, as other implementations do. libp2p's answers every data frame with an update:
 * each small message costs a second frame, and a second wake-up on both sides.
 */
export function lazyYamux(init: Parameters<typeof yamux>[0]): ReturnType<typeof yamux> {
  return () => {
    const factory = yamux(init)();
    const createStreamMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = createStreamMuxer(connection);
      const opener = muxer as unknown as Record<typeof NEW_STREAM, (...args: unknown[]) => Windowed>;
      const newStream = opener[NEW_STREAM].bind(opener);
      opener[NEW_STREAM] = (...args) => withLazyWindow(newStream(...args));
      return muxer;
    };
    return factory;
  };
}

function withLazyWindow(stream: Windowed): Windowed {
  const update = stream.sendWindowUpdate.bind(stream);
  stream.sendWindowUpdate = () => {
    // In other states it carries the flags that open a stream.
    const isOpen = stream.state === SYN_SENT || stream.state === ESTABLISHED;
    if (!isOpen || stream.recvWindowCapacity < stream.recvWindow / 2) update();
  };
  return stream;
}

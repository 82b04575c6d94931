export type RawEntry = {
  readonly path: string;
  readonly type?: string;
  readonly link?: string;
  readonly body?: string;
  readonly mode?: number;
};

/** A ustar archive of exactly these entries, however wicked: what honest tools refuse to write. */
export function tarOf(entries: readonly RawEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const body = Buffer.from(entry.body ?? '');
    return [header(entry, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header({ path, type = '0', link = '', mode = 0o644 }: RawEntry, bytes: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0);
  block.write(mode.toString(8).padStart(7, '0'), 100);
  block.write(bytes.toString(8).padStart(11, '0'), 124);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\u000000', 257);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

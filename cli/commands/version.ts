import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  async run({ screen }) {
    const path = resolve(import.meta.dirname, '../../package.json');
    const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
    if (screen.isJson) return screen.json({ version, node: process.version });
    screen.line(`kith/${version} ${process.platform}-${process.arch} node-${process.version}`);
  },
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';

/** One message as rsyslog understood it. */
export type Received = {
  readonly version: string;
  readonly priority: number;
  readonly host: string;
  readonly source: string;
  readonly process: string;
  readonly text: string;
};

const PROGRAMS = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'];

/** A real rsyslog that takes TCP on loopback; its files are in `dir`. */
export async function startRsyslog(
  dir: string,
): Promise<AsyncDisposable & { port: number; received(): readonly Received[] }> {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) {
    throw new Error('There is no rsyslogd on this machine, which this test needs: `apt-get install rsyslog`');
  }
  mkdirSync(dir, { recursive: true });
  const [config, output, portFile] = [join(dir, 'rsyslog.conf'), join(dir, 'output'), join(dir, 'port')];
  writeFileSync(
    config,
    `global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${portFile}")
template(name="fields" type="string"
  string="%protocol-version%\\t%pri%\\t%hostname%\\t%app-name%\\t%procid%\\t%msg%\\n")
action(type="omfile" file="${output}" template="fields")
`,
  );
  const child = spawn(program, ['-n', '-f', config, '-i', join(dir, 'pid')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const port = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`);
      return existsSync(portFile) && Number(readFileSync(portFile, 'utf8'));
    },
    { withinMs: 30_000 },
  );
  return {
    port: Number(port),
    received: () => (existsSync(output) ? readFileSync(output, 'utf8') : '').split('\n').flatMap(parse),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function parse(row: string): readonly Received[] {
  const [version, priority, host, source, process, ...text] = row.split('\t');
  if (version === undefined || host === undefined || source === undefined || process === undefined) return [];
  return [{ version, priority: Number(priority), host, source, process, text: text.join('\t').trim() }];
}

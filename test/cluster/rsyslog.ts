import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCertificate } from '../helpers/certificates.ts';
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

export type Rsyslog = AsyncDisposable & { readonly port: number; received(): readonly Received[] };

export type RsyslogOptions = {
  /** Takes TLS with this certificate, not bare TCP. */
  readonly tls?: TestCertificate;
  /** Of loopback; `127.0.0.1` unless said. */
  readonly address?: string;
};

/** A real rsyslog that listens on loopback; its files are in `dir`. */
export async function startRsyslog(
  dir: string,
  { tls, address = '127.0.0.1' }: RsyslogOptions = {},
): Promise<Rsyslog> {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) {
    throw new Error('There is no rsyslogd on this machine, which this test needs: `apt-get install rsyslog`');
  }
  mkdirSync(dir, { recursive: true });
  const [config, output, portFile] = [join(dir, 'rsyslog.conf'), join(dir, 'output'), join(dir, 'port')];
  writeFileSync(
    config,
    `global(workDirectory="${dir}" maxMessageSize="64k")
${tls === undefined ? 'module(load="imtcp")' : tlsConfig(dir, tls)}
input(type="imtcp" address="${address}" port="0" listenPortFileName="${portFile}")
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
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`);
      // Empty at first: it is made before it is written.
      return existsSync(portFile) && Number(readFileSync(portFile, 'utf8')) > 0;
    },
    { withinMs: 60_000 },
  );
  return {
    port: Number(readFileSync(portFile, 'utf8')),
    // What comes after the last line end is being written.
    received: () =>
      (existsSync(output) ? readFileSync(output, 'utf8') : '').split('\n').slice(0, -1).flatMap(parse),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** As an operator writes it who has a certificate: clients need none. `rsyslog-gnutls` brings this driver. */
function tlsConfig(dir: string, { cert, key, ca }: TestCertificate): string {
  const files = { cert, key, ca };
  for (const [name, pem] of Object.entries(files)) {
    writeFileSync(join(dir, `${name}.pem`), pem, { mode: 0o600 });
  }
  return `global(
  defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${dir}/ca.pem"
  defaultNetstreamDriverCertFile="${dir}/cert.pem"
  defaultNetstreamDriverKeyFile="${dir}/key.pem"
)
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")`;
}

function parse(row: string): readonly Received[] {
  const [version, priority, host, source, process, ...text] = row.split('\t');
  if (version === undefined || host === undefined || source === undefined || process === undefined) return [];
  return [{ version, priority: Number(priority), host, source, process, text: text.join('\t').trim() }];
}

import { CliError } from '../line/cli-error.ts';
import { endpointLabel, type Endpoint } from './endpoint.ts';

/** Whether the peer hung up on us, rather than never answering: then a repeated request may find it back. */
export function isLostConnection(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** What a failed connection means to whoever typed the command. */
export function connectionError(error: unknown, endpoint: Endpoint): CliError {
  if (error instanceof CliError) return error;
  const label = endpointLabel(endpoint);
  const code = codeOf(error);
  const cause = error;
  if (endpoint.kind === 'unix' && (code === 'ENOENT' || code === 'ECONNREFUSED')) {
    const hint = 'Start one with `kith agent`, or name another peer with --host HOST or KITH_HOST';
    return new CliError(`No agent answers on this machine at "${label}"`, { hint, cause });
  }
  if (code === 'EACCES') {
    const hint =
      'Run this as the user of the agent, or name its API with --host and a token from `kith login`';
    return new CliError(`You may not speak to the agent at "${label}"`, { hint, cause });
  }
  const hints: Readonly<Record<string, readonly [said: string, hint: string]>> = {
    ECONNREFUSED: [
      'nothing listens there',
      'Is its agent running? Try another peer with --host HOST or KITH_HOST',
    ],
    ENOTFOUND: ['there is no host of this name', 'Check --host or KITH_HOST'],
    ECONNRESET: ['it hung up', 'It may be restarting: try again, or another peer with --host HOST'],
    SELF_SIGNED_CERT_IN_CHAIN: [
      "its certificate is of the cluster's own CA, which is not trusted here",
      'Save the ca_cert that `kith cluster --json` prints, and name its file in NODE_EXTRA_CA_CERTS',
    ],
    timeout: ['it did not answer in time', 'Try again, or another peer with --host HOST'],
  };
  const [said, hint] = hints[code] ?? [code, 'Try another peer with --host HOST or KITH_HOST'];
  return new CliError(`Cannot reach the peer at "${label}": ${said}`, { hint, cause });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of one name were tried: the first failure tells.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

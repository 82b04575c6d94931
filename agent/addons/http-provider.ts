import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import { configKey, envValue } from '../../src/platform/fields.ts';
import { plainText } from '../../src/plain-text.ts';
import type {
  AddonProvider,
  Deprovision,
  PlanChange,
  PlanChangeReply,
  ProvisionReply,
  ProvisionRequest,
  SsoRequest,
} from '../../src/shell/addon-provider.ts';

const ACCEPT = 'application/vnd.heroku-addons+json; version=3';
// What is set must fit into one entry of the ledger.
const REPLY_BYTES_MAX = 128 * 1024;
const MESSAGE_LENGTH_MAX = 2_000;
const ID_LENGTH_MAX = 1_000;

/** Values that are no text become text: providers send ports as numbers. */
const config = z.record(configKey, z.union([envValue, z.number(), z.boolean()]).transform(String));
const reply = z.object({
  id: z
    .union([z.string().max(ID_LENGTH_MAX), z.number()])
    .transform(String)
    .nullish(),
  config: config.nullish(),
  message: z
    .string()
    .transform((said) => plainText(said, MESSAGE_LENGTH_MAX))
    .nullish(),
  log_drain_url: z.string().max(2_000).nullish(),
});

export type HttpProviderOptions = {
  readonly id: string;
  readonly baseUrl: string;
  readonly ssoUrl: string | null;
  /** The names that it may set. */
  readonly configVars: readonly string[];
  /** Opened at each call: the data key may come later than the manifest. */
  readonly password: () => string;
  readonly ssoSalt: () => string;
};

/** A provider that speaks the Add-on Partner API v3 over HTTP. */
export class HttpProvider implements AddonProvider {
  readonly asksAgain = false;
  readonly #options: HttpProviderOptions;

  constructor(options: HttpProviderOptions) {
    this.#options = options;
  }

  async provision(request: ProvisionRequest, signal: AbortSignal): Promise<ProvisionReply> {
    const { uuid, name, plan, region, callbackUrl, options, oauthGrant, logInputUrl, logDrainToken } =
      request;
    const { status, body } = await this.#ask('POST', '', signal, {
      uuid,
      name,
      plan,
      region,
      callback_url: callbackUrl,
      options,
      ...(oauthGrant === null
        ? {}
        : {
            oauth_grant: {
              code: oauthGrant.code,
              type: 'authorization_code',
              expires_at: new Date(oauthGrant.expiresAt).toISOString(),
            },
          }),
      ...(logInputUrl === null ? {} : { log_input_url: logInputUrl }),
      ...(logDrainToken === null ? {} : { log_drain_token: logDrainToken }),
    });
    return {
      state: status === 202 ? 'provisioning' : 'provisioned',
      id: body.id ?? uuid,
      config: status === 202 ? {} : (body.config ?? {}),
      message: body.message ?? null,
      logDrainUrl: body.log_drain_url ?? null,
    };
  }

  async changePlan({ uuid, plan }: PlanChange, signal: AbortSignal): Promise<PlanChangeReply> {
    const { body } = await this.#ask('PUT', `/${uuid}`, signal, { plan });
    return { config: body.config ?? null, message: body.message ?? null };
  }

  async deprovision({ uuid }: Deprovision, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask('DELETE', `/${uuid}`, signal);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== 'gone') throw error;
    }
  }

  /** The `GET` variant: the page checks the token, which is good for five minutes. */
  sso({ uuid, app, email, timestampSeconds }: SsoRequest): string | null {
    const { ssoUrl, ssoSalt } = this.#options;
    const salt = ssoUrl === null ? '' : ssoSalt();
    // Without a salt anybody could make the token.
    if (ssoUrl === null || salt === '') return null;
    const token = createHash('sha1').update(`${uuid}:${salt}:${timestampSeconds}`).digest('hex');
    const url = new URL(ssoUrl);
    const fields = {
      resource_id: uuid,
      resource_token: token,
      id: uuid,
      token,
      timestamp: String(timestampSeconds),
      email,
      user_id: createHash('sha256').update(email).digest('hex').slice(0, 32),
      app,
      context_app: app,
      'nav-data': Buffer.from(JSON.stringify({ addon: uuid, appname: app })).toString('base64'),
    };
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    return url.toString();
  }

  async #ask(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<{ status: number; body: Partial<z.infer<typeof reply>> }> {
    const { id, baseUrl, password } = this.#options;
    const response = await fetch(baseUrl.replace(/\/+$/, '') + path, {
      method,
      signal,
      // Credentials go to whom they were given for, and nowhere else.
      redirect: 'manual',
      headers: {
        accept: ACCEPT,
        authorization: `Basic ${Buffer.from(`${id}:${password()}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new PlatformError('unavailable', `The provider "${id}" does not answer ${method}`, { cause });
    });
    const text = await readAtMost(response, REPLY_BYTES_MAX);
    const { status } = response;
    if (status === 422) throw new PlatformError('invalid_params', refusalOf(text, id));
    if (method === 'DELETE' && (status === 404 || status === 410)) {
      throw new PlatformError('gone', `The provider "${id}" has no such add-on`);
    }
    if (!response.ok) {
      throw new PlatformError('unavailable', `The provider "${id}" answered ${method} with status ${status}`);
    }
    return { status, body: method === 'DELETE' || status === 204 ? {} : this.#read(text) };
  }

  /** An admin has read the manifest, and users are asked for what it names: `PATH`, say, is not for a provider to set. */
  #mustBeDeclared(names: readonly string[]): void {
    const { id, configVars } = this.#options;
    const wrong = names.find((name) => !configVars.includes(name));
    if (wrong === undefined) return;
    throw new PlatformError(
      'unavailable',
      `The provider "${id}" sets "${wrong}", which its manifest does not name`,
      { hint: 'Register it with that name among its `config_vars`: `kith providers:add`' },
    );
  }

  #read(text: string): z.infer<typeof reply> {
    const parsed = reply.safeParse(parseJson(text));
    if (parsed.success) {
      this.#mustBeDeclared(Object.keys(parsed.data.config ?? {}));
      return parsed.data;
    }
    const at = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new PlatformError(
      'unavailable',
      `The provider "${this.#options.id}" answered what cannot be read${at === '' ? '' : `, at "${at}"`}`,
    );
  }
}

function refusalOf(text: string, id: string): string {
  const parsed = z.object({ message: z.string().min(1) }).safeParse(parseJson(text));
  const message = parsed.success ? parsed.data.message : `The provider "${id}" refused, and did not say why.`;
  return plainText(message, MESSAGE_LENGTH_MAX);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // The schema says what is wrong with it.
  }
}

async function readAtMost(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new PlatformError('unavailable', `A provider answered more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

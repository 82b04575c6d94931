import { z } from 'zod';
import { DYNO_SIZES, parseSize } from '../dyno-sizes.ts';
import { PlatformError } from '../errors.ts';
import { CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';
import type { SlugSetup } from '../ledger/releases/release-types.ts';

/** What Kith does with an app.json; other fields are for others. */
export type AppJson = {
  readonly env: readonly EnvWish[];
  /** For an app that has none set. */
  readonly buildpacks: readonly string[];
  readonly setup: SlugSetup;
  /** For app setups: a plain push provisions none. */
  readonly addons: readonly AddonWish[];
  /** Null where it asks for none in particular. */
  readonly stack: string | null;
};

export type AddonWish = {
  /** `service` or `service:plan`. */
  readonly plan: string;
  /** Name of the attachment. */
  readonly as: string | null;
  readonly options: Readonly<Record<string, string>>;
};

export type EnvWish = {
  readonly key: string;
  /** A text, a secret to be made up, or nothing: then somebody must set it. */
  readonly value: string | { readonly generator: 'secret' } | null;
  readonly required: boolean;
};

const QUANTITY_MAX = 100;
const COMMAND_LENGTH_MAX = 32_768;

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const env = z.union([
  text,
  z.object({
    value: text.nullish(),
    generator: z.literal('secret', 'there is no generator but "secret"').nullish(),
    required: z.boolean().nullish(),
  }),
]);
const size = z
  .string()
  .refine(
    (name) => parseSize(name) !== null,
    `there is no such size: use ${DYNO_SIZES.map(({ name }) => name.toLowerCase()).join(', ')}`,
  );
const shape = z.object({
  env: z.record(z.string().regex(CONFIG_KEY_PATTERN, 'is no name of a config var'), env).nullish(),
  formation: z
    .record(
      z.string().regex(PROCESS_TYPE_PATTERN, 'is no process type'),
      z.object({ quantity: z.int().min(0).max(QUANTITY_MAX).nullish(), size: size.nullish() }),
    )
    .nullish(),
  buildpacks: z
    .array(z.object({ url: z.string().min(1).max(2_000) }))
    .max(20)
    .nullish(),
  scripts: z
    .object({ postdeploy: z.union([z.string().max(COMMAND_LENGTH_MAX), commandObject()]).nullish() })
    .nullish(),
  addons: z
    .array(
      z.union([
        z.string().min(1).max(200),
        z.object({
          plan: z.string().min(1).max(200),
          as: z.string().max(200).nullish(),
          options: z.record(z.string(), text).nullish(),
        }),
      ]),
    )
    .max(50)
    .nullish(),
  stack: z.string().max(200).nullish(),
});

/**
 * Reads an app.json.
 * @param environment whose part of `environments` counts too: `review`
 * @throws PlatformError `build_failed` that names the field and what was found there
 * @see https://devcenter.heroku.com/articles/app-json-schema
 */
export function parseAppJson(source: string, environment: string | null = null): AppJson {
  const read = readAppJson(source, environment);
  if ('errors' in read) throw flaw(read.errors[0] ?? 'invalid');
  return read.appJson;
}

/** The same, with all that is wrong instead of an exception. */
export function readAppJson(
  source: string,
  environment: string | null = null,
): { readonly appJson: AppJson } | { readonly errors: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(source.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { errors: [`it is no JSON: ${reason.slice(0, 200)}`] };
  }
  const parsed = shape.safeParse(withEnvironment(json, environment));
  if (parsed.success) return { appJson: toAppJson(parsed.data) };
  const errors = parsed.error.issues.map(
    ({ path, message }) => `${path.length > 0 ? `"${path.join('.')}": ` : ''}${message}`,
  );
  return { errors };
}

/** What it says for one environment comes before what it says for all; of config vars and formation, entry by entry. */
function withEnvironment(json: unknown, environment: string | null): unknown {
  const all = asObject(json);
  const own = environment === null ? null : asObject(asObject(all?.['environments'])?.[environment]);
  if (all === null || own === null) return json;
  const merged = ['env', 'formation'].flatMap((field) => {
    const [common, special] = [asObject(all[field]), asObject(own[field])];
    return common === null || special === null ? [] : [[field, { ...common, ...special }] as const];
  });
  return { ...all, ...own, ...Object.fromEntries(merged) };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}

function toAppJson({
  env: vars,
  formation,
  buildpacks,
  scripts,
  addons,
  stack,
}: z.output<typeof shape>): AppJson {
  const postdeploy = scripts?.postdeploy ?? null;
  return {
    env: Object.entries(vars ?? {}).map(([key, wish]) => envWish(key, wish)),
    buildpacks: (buildpacks ?? []).map(({ url }) => url),
    setup: {
      formation: Object.fromEntries(
        Object.entries(formation ?? {}).map(([type, wish]) => [
          type,
          { quantity: wish.quantity ?? 1, size: wish.size ?? null },
        ]),
      ),
      postdeploy: typeof postdeploy === 'string' ? postdeploy : (postdeploy?.command ?? null),
    },
    addons: (addons ?? []).map((wish) =>
      typeof wish === 'string'
        ? { plan: wish, as: null, options: {} }
        : { plan: wish.plan, as: wish.as ?? null, options: wish.options ?? {} },
    ),
    stack: stack ?? null,
  };
}

/** Heroku takes `{command, size}` in place of a text. */
function commandObject() {
  return z.object({ command: z.string().max(COMMAND_LENGTH_MAX) });
}

function envWish(key: string, wish: z.output<typeof env>): EnvWish {
  if (typeof wish === 'string') return { key, value: wish, required: true };
  const secret = wish.generator === 'secret' ? { generator: 'secret' as const } : null;
  return { key, value: wish.value ?? secret, required: wish.required ?? true };
}

function flaw(reason: string): PlatformError {
  return new PlatformError('build_failed', `Cannot read app.json: ${reason}`, {
    hint: 'Its fields are described at https://devcenter.heroku.com/articles/app-json-schema',
  });
}

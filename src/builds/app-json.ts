import { z } from 'zod';
import { DYNO_SIZES, parseSize } from '../dyno-sizes.ts';
import { PlatformError } from '../errors.ts';
import { CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';
import type { SlugSetup } from '../ledger/op.ts';

/** What Kith does with an app.json; other fields are for others. */
export type AppJson = {
  readonly env: readonly EnvWish[];
  /** For an app that has none set. */
  readonly buildpacks: readonly string[];
  readonly setup: SlugSetup;
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
});

/**
 * Reads an app.json.
 * @throws PlatformError `build_failed` that names the field and what was found there
 * @see https://devcenter.heroku.com/articles/app-json-schema
 */
export function parseAppJson(source: string): AppJson {
  let json: unknown;
  try {
    json = JSON.parse(source.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw flaw(`it is no JSON: ${reason.slice(0, 200)}`);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw flaw(`${issue?.path.length ? `"${issue.path.join('.')}": ` : ''}${issue?.message ?? 'invalid'}`);
  }
  const { env: vars, formation, buildpacks, scripts } = parsed.data;
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

import { z } from 'zod';
import { CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';
import type { AddonId, AppId, BlobId, CertId, OpId, PeerId, PipelineId, ProcessType } from '../ids.ts';
import type { Sealed } from './values.ts';

export const matching = <T extends string>(pattern: RegExp) =>
  z.custom<T>((value) => typeof value === 'string' && pattern.test(value), `must match ${pattern.source}`);
export const text = (max: number) => z.string().max(max);
export const count = z.number().int().min(0);
export const bytes = z.custom<Sealed>((value) => value instanceof Uint8Array, 'must be bytes');
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const app = matching<AppId>(UUID);
export const pipeline = matching<PipelineId>(UUID);
export const peer = matching<PeerId>(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/);
export const blob = matching<BlobId>(/^[0-9a-f]{64}$/);
export const opId = matching<OpId>(/^[a-z2-7]{52}$/);
export const processType = matching<ProcessType>(PROCESS_TYPE_PATTERN);
export const cert = matching<CertId>(UUID);
export const addon = matching<AddonId>(UUID);
/** Ids that the writer made up: UUIDs mostly. */
export const name = text(200);
export const user = text(320);
export const request = text(200).nullable();
/** `__proto__`, which an object cannot hold like any other key, is dropped by zod. */
export const configKey = matching<string>(CONFIG_KEY_PATTERN);

/** One schema for each kind of `Body`; fields that it does not name are dropped. */
export type BodySchemas<Body extends { readonly kind: string }> = {
  readonly [Kind in Body['kind']]: z.ZodType<Omit<Extract<Body, { kind: Kind }>, 'kind'>>;
};

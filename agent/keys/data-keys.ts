import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { SealOwner } from '../../src/shell/host.ts';
import { readSecretFile, writeSecretFile } from '../lib/secret-file.ts';

const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
/** Base64 of 32 bytes, by key id. */
export const keysShape = z.record(z.string().regex(/^[0-9a-f]{16}$/), z.base64().length(44));

/**
 * The cluster's data keys on this peer: config values are sealed under the current one before they become ops. The
 * keys travel between members only, and lie in DIR/keys.json, mode 0600.
 *
 * A sealed value is `version(1) keyId(8) nonce(12) tag(16) ciphertext`, AES-256-GCM bound to app and name. The nonce
 * is a MAC of app, name and value: equal values seal to equal bytes, so that a patch which changes nothing is seen as
 * such, and no nonce is ever used for two different values.
 */
export class DataKeys {
  readonly #path: string;
  readonly #keys: Map<string, Buffer>;

  constructor(dir: string) {
    this.#path = join(dir, 'keys.json');
    this.#keys = new Map(readKeys(this.#path).map(([id, key]) => [id, Buffer.from(key, 'base64')]));
  }

  /** A fresh key, durable here; naming it in a `key.rotate` op makes it the current one everywhere. */
  create(): string {
    const id = randomBytes(KEY_ID_BYTES).toString('hex');
    this.add({ [id]: randomBytes(32).toString('base64') });
    return id;
  }

  has(id: string): boolean {
    return this.#keys.has(id);
  }

  /** For another member: all keys, base64 by id. */
  export(): Record<string, string> {
    return Object.fromEntries([...this.#keys].map(([id, key]) => [id, key.toString('base64')]));
  }

  /** Takes keys from another member. */
  add(keys: Readonly<Record<string, string>>): void {
    const before = this.#keys.size;
    for (const [id, key] of Object.entries(keys)) {
      const bytes = Buffer.from(key, 'base64');
      if (/^[0-9a-f]{16}$/.test(id) && bytes.length === 32 && !this.#keys.has(id)) this.#keys.set(id, bytes);
    }
    if (this.#keys.size > before) writeSecretFile(this.#path, JSON.stringify(this.export()));
  }

  seal(keyId: string, owner: SealOwner, name: string, value: string): Uint8Array {
    const key = this.#must(keyId);
    const context = contextOf(owner, name);
    const nonce = createHmac('sha256', key).update(context).update(value).digest().subarray(0, NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context);
    const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    const head = Buffer.concat([
      Buffer.from([VERSION]),
      Buffer.from(keyId, 'hex'),
      nonce,
      cipher.getAuthTag(),
    ]);
    return new Uint8Array(Buffer.concat([head, body]));
  }

  open(owner: SealOwner, name: string, sealed: Uint8Array): string {
    const bytes = Buffer.from(sealed);
    const keyId = keyIdOf(sealed);
    const key = keyId === null ? undefined : this.#keys.get(keyId);
    if (key === undefined) throw missing(keyId ?? 'unknown');
    const nonceAt = 1 + KEY_ID_BYTES;
    const tagAt = nonceAt + NONCE_BYTES;
    const bodyAt = tagAt + TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(nonceAt, tagAt));
    decipher.setAAD(contextOf(owner, name)).setAuthTag(bytes.subarray(tagAt, bodyAt));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new PlatformError('internal', `The sealed value of "${name}" is not whole`, { cause });
    }
  }

  #must(id: string): Buffer {
    const key = this.#keys.get(id);
    if (key === undefined) throw missing(id);
    return key;
  }
}

/** A damaged file must not be taken for an empty one: it would be written over, and its keys be gone for good. */
function readKeys(path: string): [string, string][] {
  const text = readSecretFile(path);
  if (text === null) return [];
  try {
    return Object.entries(keysShape.parse(JSON.parse(text)));
  } catch (cause) {
    throw new PlatformError('internal', `The data keys "${path}" are damaged: found no record of keys`, {
      hint: 'Restore the file from a backup; where other peers hold the keys, remove it: they give them again',
      cause,
    });
  }
}

/** Which key a sealed value needs; null when it is none of ours. */
export function keyIdOf(sealed: Uint8Array): string | null {
  if (sealed[0] !== VERSION || sealed.length < 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES) return null;
  return Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES)).toString('hex');
}

function contextOf(owner: SealOwner, name: string): Buffer {
  return Buffer.from(`kith-config\0${owner}\0${name}\0`);
}

function missing(id: string): PlatformError {
  return new PlatformError('unavailable', `The data key "${id}" has not reached this peer yet`, {
    hint: 'It comes from any other peer that is connected: see `kith peers`',
  });
}

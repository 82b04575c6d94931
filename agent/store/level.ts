import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';

export type Database = Level<string, Uint8Array>;

// On Node `Level` is classic-level's class; the types of `level` leave out what browsers lack.
const NodeLevel = Level as unknown as { repair(dir: string): Promise<void> };

/** Small: the fold keeps the working set, the store is read at start and by syncing peers. */
const CACHE_BYTES = 2 * 1024 * 1024;

/**
 * Opens a LevelDB folder, creating it where there is none. What is damaged is repaired: LevelDB salvages every
 * intact entry and puts unusable files aside under `lost/`; the ops that are gone come back from other peers.
 * Throws PlatformError: `conflict` where another process has it open, `disk_full`, `internal` where repair fails.
 */
export async function openLevel(dir: string, log: Logger): Promise<Database> {
  // Without its CURRENT file LevelDB would start afresh and delete all tables.
  if (await hasLostItsRoot(dir)) await repairLevel(dir, 'the CURRENT file is missing', log);
  try {
    return await open(dir);
  } catch (error) {
    if (codeOf(error) !== 'LEVEL_CORRUPTION') throw describe(error, dir);
    await repairLevel(dir, messageOf(error), log);
  }
  try {
    return await open(dir);
  } catch (error) {
    throw describe(error, dir);
  }
}

/** Repairs a closed database. */
export async function repairLevel(dir: string, reason: string, log: Logger): Promise<void> {
  log.error({ dir, reason }, 'store is damaged, repairing it');
  try {
    await NodeLevel.repair(dir);
  } catch (cause) {
    throw new PlatformError('internal', `Cannot repair the store "${dir}": ${messageOf(cause)}`, {
      hint: 'Move it away: what other peers hold of the ledger comes back by itself',
      cause,
    });
  }
  const lost = await namesIn(join(dir, 'lost'));
  log.warn({ dir, lost }, 'store repaired; other peers resend what it lost');
}

/** What went wrong in words for an operator; LevelDB tells kinds of trouble apart only in its text. */
export function describe(error: unknown, dir: string): PlatformError {
  if (error instanceof PlatformError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === 'LEVEL_LOCKED') {
    return new PlatformError('conflict', `Cannot open the store "${dir}": another agent uses it`, {
      hint: 'Stop that agent, or give this one another data directory',
      cause: error,
    });
  }
  if (code === 'LEVEL_IO_ERROR') {
    return new PlatformError('disk_full', `Cannot write the store "${dir}": ${message}`, {
      hint: 'Free some space on that disk, or check its health',
      cause: error,
    });
  }
  return new PlatformError('internal', `The store "${dir}" failed: ${message}`, { cause: error });
}

export function isCorruption(error: unknown): boolean {
  return codeOf(error) === 'LEVEL_CORRUPTION';
}

async function open(dir: string): Promise<Database> {
  const database: Database = new Level(dir, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    cacheSize: CACHE_BYTES,
  });
  await database.open();
  return database;
}

async function hasLostItsRoot(dir: string): Promise<boolean> {
  const names = await namesIn(dir);
  return !names.includes('CURRENT') && names.some((name) => /\.(?:ldb|sst|log)$/.test(name));
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch {
    return []; // no such folder yet; what else ails it shows when LevelDB opens it
  }
}

/** abstract-level wraps the cause of a failed open in an error of its own. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootOf(error.cause) : error;
}

function codeOf(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof Error && 'code' in root && typeof root.code === 'string' ? root.code : undefined;
}

function messageOf(error: unknown): string {
  const root = rootOf(error);
  return root instanceof Error ? root.message : String(root);
}

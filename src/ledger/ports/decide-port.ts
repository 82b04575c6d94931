import { PlatformError } from '../../errors.ts';
import { PROCESS_TYPE_PATTERN } from '../../ids.ts';
import type { ProcessType } from '../../ids.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { Hlc } from '../hlc.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { RELEASE_TYPE } from '../releases/release-status.ts';
import { numberFor } from './port-numbers.ts';
import { PORT_NUMBER_MAX, PORT_NUMBER_MIN } from './port-types.ts';
import type { Port } from './port-types.ts';

const PORTS_MAX = 20;

/**
 * Opened again, a type has its number again; with another one it moves there. One that got another number than it was to have
 * is at peace with it once it is asked for. It need not be declared by any code yet.
 */
export function openPort(fold: Fold, command: CommandOf<'port.open'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const type = mustType(command.process);
  const refuse = (code: 'invalid_params' | 'conflict', found: string, hint: string): never => {
    throw new PlatformError(code, `Cannot open "${type}" of "${app.name}": ${found}`, { hint });
  };
  const open = app.ports.get(type);
  if (open !== undefined && isAsAsked(open, command.number)) return [];
  if (type === RELEASE_TYPE) {
    refuse('invalid_params', 'it runs once, before each release', 'Open a process type that goes on running');
  }
  if (open === undefined && app.ports.size >= PORTS_MAX) {
    refuse('conflict', `it has ${PORTS_MAX} open process types, and may not have more`, 'Close one first');
  }
  const isFree = (number: number): boolean => number === open?.number || !fold.view.ports.has(number);
  if (command.number !== null && !isInRange(command.number)) {
    refuse('invalid_params', `${command.number} is no port for that`, RANGE);
  }
  if (command.number !== null && !isFree(command.number)) {
    refuse(
      'conflict',
      `port ${command.number} is taken`,
      'Leave the number out, and you get one that is free',
    );
  }
  const number = command.number ?? numberFor(fold.state.ports, { app: app.id, type }, isFree);
  if (number === null) return refuse('conflict', 'all ports are taken', 'See `kith ports --all`');
  const parents = headsOf(state.ports.get(type)?.number);
  return [{ parents, body: { kind: 'port.set', app: app.id, type, number, ...seenIn(fold) } }];
}

export function closePort(fold: Fold, command: CommandOf<'port.close'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const type = mustType(command.process);
  if (!app.ports.has(type)) {
    throw new PlatformError('not_found', `Process type "${type}" of "${app.name}" is not open.`, {
      resource: 'port',
      hint: 'See `kith ports`',
    });
  }
  const parents = headsOf(state.ports.get(type)?.number);
  return [{ parents, body: { kind: 'port.set', app: app.id, type, number: null, ...seenIn(fold) } }];
}

/** Numbers are given and given up in the order that people see, though a clock be years behind. */
function seenIn({ state: { ports } }: Fold): { readonly seen?: Hlc } {
  return ports.latest === null ? {} : { seen: ports.latest };
}

const RANGE = `Use a number from ${PORT_NUMBER_MIN} to ${PORT_NUMBER_MAX}, or leave it out`;

function isInRange(number: number): boolean {
  return Number.isInteger(number) && number >= PORT_NUMBER_MIN && number <= PORT_NUMBER_MAX;
}

function isAsAsked({ number, wantedNumber }: Port, asked: number | null): boolean {
  return asked === null || (asked === number && asked === wantedNumber);
}

function mustType(name: string): ProcessType {
  if (PROCESS_TYPE_PATTERN.test(name)) return name as ProcessType;
  throw new PlatformError('invalid_params', `"${name}" is no process type`, {
    hint: 'Use letters, digits, dashes and underscores, as in a Procfile',
  });
}

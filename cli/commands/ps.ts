import type { DynoResource } from '../../src/platform/dyno.ts';
import type { DynoUsageResource } from '../../src/platform/dyno-usage.ts';
import type { FormationResource } from '../../src/platform/formation.ts';
import { defineCommand } from '../lib/line/command.ts';
import type { Screen } from '../lib/print/screen.ts';
import { pad, widthOf } from '../lib/print/table.ts';
import { formatMoment } from '../lib/print/time.ts';
import { formatUsage, usageOf } from '../lib/line/usage.ts';

type Unplaced = readonly { readonly dyno: string; readonly reason: string }[];

export default defineCommand({
  ofApp: true,
  args: { types: { is: 'rest', summary: 'only these process types' } },
  details: 'Each line tells what the dyno uses, and the machine that runs it.',
  async run(context) {
    const { api, screen, args, world } = context;
    const app = await context.app();
    const wanted = (type: string): boolean => args.types.length === 0 || args.types.includes(type);
    const path = encodeURIComponent(app);
    const [dynos, formation, unplaced, usage] = await Promise.all([
      api.get<readonly DynoResource[]>(`/apps/${path}/dynos`),
      api.get<readonly FormationResource[]>(`/apps/${path}/formation`),
      api.get<Unplaced>(`/kith/apps/${path}/unplaced`),
      usageOf(api, app),
    ]);
    const shown = dynos.filter(({ type }) => wanted(type));
    if (screen.isJson)
      return screen.json(shown.map((dyno) => ({ ...dyno, usage: usage.get(dyno.id) ?? null })));
    const missing = unplaced.filter(({ dyno }) => wanted(typeOf(dyno)));
    const types = [
      ...new Set([...shown.map(({ type }) => type), ...missing.map(({ dyno }) => typeOf(dyno))]),
    ];
    if (types.length === 0) {
      screen.line(
        formation.some(({ quantity }) => quantity > 0)
          ? `No dynos of ⬢ ${app} run just now.`
          : `No dynos on ⬢ ${app}`,
      );
      return;
    }
    const rows = new Map(shown.map((dyno) => [dyno, rowOf(dyno, usage.get(dyno.id), screen, world.now())]));
    const widths = [0, 1, 2].map((column) =>
      Math.max(...[...rows.values()].map((row) => widthOf(row[column] ?? ''))),
    );
    for (const type of types) {
      const ofType = shown.filter((dyno) => dyno.type === type);
      const late = missing.filter(({ dyno }) => typeOf(dyno) === type);
      screen.heading(headingOf(type, ofType, formation, late));
      screen.line();
      for (const dyno of ofType) {
        const cells = rows.get(dyno) ?? [];
        screen.line(
          cells
            .map((cell, column) => pad(cell, widths[column] ?? 0))
            .filter((_, column) => widths[column] !== 0)
            .join('  ')
            .trimEnd(),
        );
      }
      for (const { dyno, reason } of late)
        screen.line(`${dyno}: ${screen.paint.red('unplaced')} - ${reason}`);
      screen.line();
    }
  },
});

function headingOf(
  type: string,
  dynos: readonly DynoResource[],
  formation: readonly FormationResource[],
  unplaced: Unplaced,
): string {
  const entry = formation.find((each) => each.type === type);
  const [first] = dynos;
  // While one replaces another, both run: they fill one place.
  const count = new Set([...dynos.map(({ name }) => name), ...unplaced.map(({ dyno }) => dyno)]).size;
  if (entry === undefined) return `${type}: one-off processes (${count})`;
  return `${type} (${first?.size ?? entry.size}): ${first?.command ?? entry.command} (${count})`;
}

/** `web.1: up 2026/… (~ 3m ago)`, what it uses, and the peer. A one-off also tells its command. */
function rowOf(
  dyno: DynoResource,
  usage: DynoUsageResource | undefined,
  { paint }: Screen,
  now: number,
): readonly string[] {
  const colour = dyno.state === 'up' ? paint.green : dyno.state === 'crashed' ? paint.red : paint.yellow;
  const moment = formatMoment(dyno.updated_at, now);
  const command = dyno.type === 'run' ? `: ${dyno.command}` : '';
  return [
    `${dyno.name}: ${colour(dyno.state)} ${moment}${command}`,
    formatUsage(usage),
    paint.cyan(dyno.peer.name),
  ];
}

function typeOf(dyno: string): string {
  return dyno.slice(0, dyno.lastIndexOf('.'));
}

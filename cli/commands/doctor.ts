import type { DoctorResource } from '../../src/platform/doctor.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  details: 'Status 1 where an error was found.',
  async run({ api, screen }) {
    const { paint } = screen;
    const found = await api.get<DoctorResource>('/kith/doctor');
    const hasErrors = found.problems.some(({ severity }) => severity === 'error');
    if (screen.isJson) {
      screen.json(found);
      return hasErrors ? 1 : 0;
    }
    if (found.problems.length === 0) screen.line(paint.green('Nothing is wrong.'));
    const mark = { error: paint.red('✘'), warning: paint.yellow('!'), info: paint.cyan('i') };
    for (const { severity, message, hint } of found.problems) {
      screen.line(`${mark[severity]} ${message}`);
      screen.line(`  ${paint.dim(hint)}`);
    }
    for (const { op, reason } of found.quarantined)
      screen.line(`  op ${op.slice(0, 12)}… was set aside: ${reason}`);
    return hasErrors ? 1 : 0;
  },
});

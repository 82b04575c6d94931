import { defineCommand } from '../lib/line/command.ts';
import { setMaintenance } from '../lib/maintenance.ts';

export default defineCommand({
  ofApp: true,
  run: (context) => setMaintenance(context, true),
});

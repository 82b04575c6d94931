import { defineCommand } from '../lib/line/command.ts';
import { setFeature } from '../lib/features.ts';

export default defineCommand({
  ofApp: true,
  args: { feature: { is: 'required', summary: 'e.g. log-runtime-metrics' } },
  run: (context) => setFeature(context, context.args.feature, false),
});

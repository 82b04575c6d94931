import { writeBuildpacks } from '../lib/deploy/buildpacks.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({ ofApp: true, run: (context) => writeBuildpacks(context, [], 'cleared') });

import { writeBuildpacks } from '../lib/buildpacks.ts';
import { defineCommand } from '../lib/command.ts';

export default defineCommand({ ofApp: true, run: (context) => writeBuildpacks(context, [], 'cleared') });

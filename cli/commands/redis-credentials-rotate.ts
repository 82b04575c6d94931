import { rotateCommand } from '../lib/database-commands.ts';
import { REDIS } from '../lib/databases.ts';

export default rotateCommand(REDIS);

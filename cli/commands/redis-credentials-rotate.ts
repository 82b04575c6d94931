import { rotateCommand } from '../lib/databases/database-commands.ts';
import { REDIS } from '../lib/databases/databases.ts';

export default rotateCommand(REDIS);

import { rotateCommand } from '../lib/database-commands.ts';
import { POSTGRESQL } from '../lib/databases.ts';

export default rotateCommand(POSTGRESQL);

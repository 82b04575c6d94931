import { rotateCommand } from '../lib/databases/database-commands.ts';
import { POSTGRESQL } from '../lib/databases/databases.ts';

export default rotateCommand(POSTGRESQL);

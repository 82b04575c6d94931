import { infoCommand } from '../lib/database-commands.ts';
import { POSTGRESQL } from '../lib/databases.ts';

export default infoCommand(POSTGRESQL);

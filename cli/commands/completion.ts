import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { completionScript, type Shell } from '../lib/line/completion-script.ts';

const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export default defineCommand({
  args: { shell: { is: 'required', summary: 'bash, zsh or fish' } },
  examples: [
    'source <(kith completion bash)',
    'kith completion zsh > ~/.zfunc/_kith',
    'kith completion fish > ~/.config/fish/completions/kith.fish',
  ],
  async run({ args, world }) {
    const shell = SHELLS.find((each) => each === args.shell);
    if (shell === undefined)
      throw new UsageError(`There is no completion for "${args.shell}"`, 'Use bash, zsh or fish');
    world.stdout.write(completionScript(shell));
  },
});

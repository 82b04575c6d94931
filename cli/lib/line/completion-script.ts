import { commandNames, summaryOf } from '../../commands.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

const FLAGS = ['--app', '--host', '--json', '--help'];

/** A script that completes command names (and the flags that nearly all commands have). */
export function completionScript(shell: Shell): string {
  if (shell === 'bash') return bash();
  return shell === 'zsh' ? zsh() : fish();
}

function bash(): string {
  // Bash splits words at colons: the part before the last one is typed already and must not come again.
  return `_kith() {
  local line="\${COMP_LINE:0:COMP_POINT}" words
  local word="\${line##* }"
  if [[ "$line" == *" "*" "* ]]; then words="${FLAGS.join(' ')}"; else words="${commandNames().join(' ')}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  local typed="\${word%"\${word##*:}"}"
  COMPREPLY=("\${COMPREPLY[@]#"$typed"}")
}
complete -F _kith kith
`;
}

function zsh(): string {
  const rows = commandNames().map(
    (name) => `    '${name.replaceAll(':', String.raw`\:`)}:${quoted(summaryOf(name))}'`,
  );
  return `#compdef kith
_kith() {
  local -a commands
  commands=(
${rows.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; else _values flag ${FLAGS.join(' ')}; fi
}
compdef _kith kith
`;
}

function fish(): string {
  const rows = commandNames().map(
    (name) => `complete -c kith -n __fish_use_subcommand -f -a '${name}' -d '${quoted(summaryOf(name))}'`,
  );
  return `${rows.join('\n')}\ncomplete -c kith -l app -s a -x\ncomplete -c kith -l json\ncomplete -c kith -l help -s h\n`;
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

import type { Command } from './command.js';
import { MOUNT_OPTIONS } from './mount-option-table.js';
import { COMMON_OPTIONS } from './parse-arguments.js';

/** A bash script that completes verbs, options and mount options, made from the command table. */
export function bashCompletion(commands: readonly Command[]): string {
  const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))];
  const cases = commands.map(({ name, options }) => {
    const words = Object.entries({ ...options, ...COMMON_OPTIONS })
      .filter(([, { help }]) => help !== undefined)
      .map(([option]) => `--${option}`);
    return `    '${name}') words='${words.join(' ')}' ;;`;
  });
  const families = firsts.map((first) => {
    const seconds = commands.flatMap(({ name }) =>
      name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
    );
    return `    '${first}') verb=$first seconds='${seconds.join(' ')}' ;;`;
  });
  return `# bash completion of imafs, made by 'imafs completion bash'
_imafs() {
  local current=\${COMP_WORDS[COMP_CWORD]} first=\${COMP_WORDS[1]} verb='' seconds='' words=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${firsts.join(' ')} --help --version' -- "$current")
    return
  fi
  case $first in
${families.join('\n')}
  esac
  if [[ -n $seconds ]]; then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$seconds" -- "$current")
      return
    fi
    verb="$first \${COMP_WORDS[2]}"
  fi
  if [[ \${COMP_WORDS[COMP_CWORD - 1]} == -o ]]; then
    mapfile -t COMPREPLY < <(compgen -W '${Object.keys(MOUNT_OPTIONS).join(' ')}' -- "$current")
    return
  fi
  case $verb in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -F _imafs imafs
`;
}

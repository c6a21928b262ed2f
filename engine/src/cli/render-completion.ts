// Scripts by which shells complete the command line: the commands, their options, and the values that are known.

export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

/** What the scripts know of a command; of one below another, `name` has both: `plugins ls`. */
export interface CompletedCommand {
  readonly name: string
  readonly description: string
  /** Long ones, such as `--json`. */
  readonly options: readonly CompletedOption[]
  /** All values that its first argument takes; empty for any. */
  readonly choices: readonly string[]
}

interface CompletedOption {
  readonly flag: string
  readonly description: string
  /** All values that it takes; empty for any, or none. */
  readonly choices: readonly string[]
}

/** Texts are ours, and still quoted: an apostrophe ends a word in every shell. `say`: what runs this program. */
export function renderCompletion(shell: Shell, commands: readonly CompletedCommand[], say = 'engine'): string {
  if (shell === 'bash') return `# ${say} completion bash > /etc/bash_completion.d/engine\n${renderBash(commands)}`
  // The first line is how zsh finds the script.
  if (shell === 'zsh')
    return `#compdef engine millrace\n# ${say} completion zsh > "\${fpath[1]}/_engine"\n${renderZsh(commands)}`
  return `# ${say} completion fish > ~/.config/fish/completions/engine.fish\n${renderFish(commands)}`
}

function renderBash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options }) => {
    const words = options.map(({ flag }) => flag).join(' ')
    return `    ${pattern(name)}) words='${words}' ;;`
  })
  return `_millrace_engine() {
  local words values='' cur="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}|\${COMP_WORDS[2]}|\${COMP_WORDS[COMP_CWORD-1]}" in
${chosenOptions(commands)
  .map(([before, choices]) => `    ${before}) values='${choices.join(' ')}' ;;`)
  .join('\n')}
  esac
  if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$cur")); return; fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${cases.join('\n')}
    *) words='' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='${[...firstWords(commands).keys()].join(' ')} --help --version'; fi
  if [[ "$COMP_CWORD" -eq 2 && "$cur" != -* ]]; then case "\${COMP_WORDS[1]}" in
${secondWords(commands)
  .map(([first, seconds]) => `    ${first}) words='${seconds.join(' ')}' ;;`)
  .join('\n')}
  esac; fi
  if [[ "$cur" == -* || "$COMP_CWORD" -eq 1 || -n "$words" && "$COMP_CWORD" -eq 2 && "$words" != -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=()
  fi
}
complete -o default -F _millrace_engine engine millrace
`
}

function renderZsh(commands: readonly CompletedCommand[]): string {
  const firsts = [...firstWords(commands)].map(([name, text]) => `    ${quote(`${name}:${text.replaceAll(':', ' ')}`)}`)
  const cases = commands.map(({ name, options }) => {
    const flags = options.map(({ flag, description }) => quote(`${flag}:${description.replaceAll(':', ' ')}`))
    return `    (${pattern(name)}) options=(${flags.join(' ')}) ;;`
  })
  return `_engine() {
  local -a commands options seconds values
  commands=(
${firsts.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[2]" in
${secondWords(commands)
  .map(([first, seconds]) => `    ${first}) seconds=(${seconds.join(' ')}) ;;`)
  .join('\n')}
  esac
  if (( CURRENT == 3 && $#seconds > 0 )) && [[ "$PREFIX" != -* ]]; then _describe command seconds; return; fi
  case "$words[2]|$words[3]|$words[CURRENT-1]" in
${chosenOptions(commands)
  .map(([before, choices]) => `    (${before}) values=(${choices.join(' ')}) ;;`)
  .join('\n')}
  esac
  if (( $#values > 0 )); then _describe value values; return; fi
  case "$words[2] $words[3]" in
${cases.join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then _describe option options; else _files; fi
}
if [ "$funcstack[1]" = "_engine" ]; then _engine "$@"; else compdef _engine engine millrace; fi
`
}

function renderFish(commands: readonly CompletedCommand[]): string {
  const firsts = [...firstWords(commands)].map(
    ([name, text]) => `complete -c engine -n __fish_use_subcommand -f -a ${name} -d ${quote(text)}`,
  )
  const seconds = secondWords(commands).flatMap(([first, names]) =>
    names.map((name) => `complete -c engine -n '__fish_seen_subcommand_from ${first}' -f -a ${name}`),
  )
  const options = commands.flatMap(({ name, options: own }) => {
    const condition = name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ')
    return own.map(({ flag, description, choices }) => {
      const values = choices.length === 0 ? '' : ` -x -a ${quote(choices.join(' '))}`
      return `complete -c engine -n '${condition}' -l ${flag.slice(2)}${values} -d ${quote(description)}`
    })
  })
  return `${[...firsts, ...seconds, ...options, 'complete -c millrace -w engine'].join('\n')}\n`
}

/** The first words in their order, each with its description; of several commands under one word, the first one's. */
function firstWords(commands: readonly CompletedCommand[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const { name, description } of commands) {
    const [first = name] = name.split(' ')
    if (!words.has(first)) words.set(first, description)
  }
  return words
}

/** What can follow a first word: the commands below it, or the values of its argument. */
function secondWords(commands: readonly CompletedCommand[]): readonly (readonly [string, readonly string[]])[] {
  const seconds = new Map<string, readonly string[]>()
  for (const { name, choices } of commands) {
    const [first = name, second] = name.split(' ')
    const words = second === undefined ? choices : [second]
    if (words.length > 0) seconds.set(first, [...(seconds.get(first) ?? []), ...words])
  }
  return [...seconds]
}

/** Of a `case` over the first two words and the one before the cursor, for each option that takes certain values. */
function chosenOptions(commands: readonly CompletedCommand[]): readonly (readonly [string, readonly string[]])[] {
  return commands.flatMap(({ name, options }) => {
    const [first = name, second] = name.split(' ')
    const words = second === undefined ? `"${first}|"*` : `"${first}|${second}"`
    return options.flatMap(({ flag, choices }) =>
      choices.length === 0 ? [] : [[`${words}"|${flag}"`, choices] as const],
    )
  })
}

/** Of a `case` over the first two words. */
function pattern(name: string): string {
  return name.includes(' ') ? `"${name}"*` : `"${name} "*`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll('\n', ' ')}'`
}

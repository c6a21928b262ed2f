// Finds secrets in the arguments and variables of a program, so that they can be masked: the program itself quotes its
// URLs on stderr. Secrets of the configuration (`${secret:name}`) are masked anyway.
import { isDistinct, isLikely, LONGEST_SECRET, SECRET_NAME, secretsInText } from '../graph/named-secrets.js'

const MOST = 32

/** `-passphrase VALUE`, `--token VALUE`, `--token=VALUE`. */
const OPTION = new RegExp(`^--?${SECRET_NAME}(?:=(.+))?$`, 'i')
const VARIABLE = new RegExp(`(?:^|_)${SECRET_NAME}(?:$|_)`, 'i')
const NAMED = new RegExp(`(?:^|_)${SECRET_NAME}$`, 'i')

/** The variable of a program has a secret, by its name. */
export function isSecretVariable(name: string): boolean {
  return VARIABLE.test(name)
}

/** Its name says that it is one: `STREAM_KEY`, and not `KEY_FORMAT`. */
export function isNamedAsSecret(name: string): boolean {
  return NAMED.test(name)
}

/** `--token=VALUE`, and what follows `--token` in a list of arguments; undefined if there is none. */
export function optionSecret(arg: string, before: string | undefined): string | undefined {
  const own = OPTION.exec(arg.slice(0, LONGEST_SECRET))?.[1]
  if (own !== undefined || before === undefined) return own
  const named = OPTION.exec(before.slice(0, LONGEST_SECRET))
  return named !== null && named[1] === undefined ? arg : undefined
}

/** Values that no log line should show; at most 32. Numbers, words and short values would hide other things too. */
export function secretsIn(args: readonly string[], env: Readonly<Record<string, string>>): readonly string[] {
  const found = new Set<string>()
  const add = (value: string): void => {
    if (value.length > LONGEST_SECRET || found.size >= MOST) return
    found.add(value)
  }
  for (const [index, arg] of args.entries()) {
    const text = arg.slice(0, LONGEST_SECRET)
    for (const value of secretsInText(text)) if (isDistinct(value)) add(value)
    const own = optionSecret(arg, args[index - 1])
    if (own !== undefined && isLikely(own)) add(own)
  }
  for (const [name, value] of Object.entries(env)) if (isSecretVariable(name) && isLikely(value)) add(value)
  return [...found]
}

// Finds secrets in the arguments and variables of a program, so that they can be masked: the program itself quotes its
// URLs on stderr. Secrets of the configuration (`${secret:name}`) are masked anyway.

/** Longer ones are not passwords. */
const LONGEST = 4096
const MOST = 32

/** RFC 3986 section 3.2.1, userinfo: after the first colon. Everything up to the last @ before the path. */
const PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*:([^/?#\s]+)@/gi
const SECRET_NAME =
  '(?:[a-z0-9]*[_-])?(?:passphrase|passwd|password|pass|pwd|secret|token|signature|sig|(?:api|stream|access)?[_-]?key)'
/** In a query, or in FFmpeg's lists of options. */
const PARAMETER = new RegExp(`[?&:|;]${SECRET_NAME}=([^&:|;#\\s]+)`, 'gi')
/** `-passphrase VALUE`, `--token VALUE`, `--token=VALUE`. */
const OPTION = new RegExp(`^--?${SECRET_NAME}(?:=(.+))?$`, 'i')
const VARIABLE = new RegExp(`(?:^|_)${SECRET_NAME}(?:$|_)`, 'i')

/** Values that no log line should show; at most 32. */
export function secretsIn(args: readonly string[], env: Readonly<Record<string, string>>): readonly string[] {
  const found = new Set<string>()
  const add = (value: string | undefined): void => {
    if (value === undefined || value === '' || value.length > LONGEST || found.size >= MOST) return
    found.add(value)
  }
  for (const [index, arg] of args.entries()) {
    const text = arg.slice(0, LONGEST)
    for (const [, value] of text.matchAll(PASSWORD)) add(value)
    for (const [, value] of text.matchAll(PARAMETER)) add(value)
    const option = OPTION.exec(text)
    if (option !== null) add(option[1] ?? args[index + 1])
  }
  for (const [name, value] of Object.entries(env)) if (VARIABLE.test(name)) add(value)
  return [...found]
}

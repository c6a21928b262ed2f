// What a user types to run this program: `engine` is on the PATH after a global install, and `npx engine` would be
// somebody else's package.

/** For texts. npm says by its environment that `npx` or a script of a project has started the program. */
export function commandName(env: Readonly<Record<string, string | undefined>>): string {
  return env['npm_command'] === 'exec' ? 'npx millrace' : 'engine'
}

/** In backquotes, also behind a pipe: `engine status`, `cat clip.ts | engine run live.yaml`. Help breaks its lines anywhere. */
const COMMANDS = /(`(?:[^`|(]{0,80}(?:\| |<\())?)engine(?=\s+[a-z])/g

/** A text for people, with the commands in it as its user types them. */
export function withCommandName(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const name = commandName(env)
  return name === 'engine' ? text : text.replaceAll(COMMANDS, `$1${name}`)
}

// What a user types to run this program: `engine` is on the PATH after a global install, and `npx engine` would be
// somebody else's package.

/** For texts. npm says by its environment that `npx` or a script of a project has started the program. */
export function commandName(env: Readonly<Record<string, string | undefined>>): string {
  return env['npm_command'] === 'exec' ? 'npx millrace' : 'engine'
}

// The environment of child processes: a few variables of the engine, which programs need to run, and those of the node.
// The rest of the engine's environment may hold secrets, which no other program should see.

const PASSED_ON: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR'],
  ...['LD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]
const LOCALE = /^LC_[A-Z]+$/

export type Environment = Readonly<Record<string, string | undefined>>

/** `own`: of the engine; `given`: of the node, which wins. */
export function childEnvironment(own: Environment, given: Environment): Record<string, string> {
  const names = Object.keys(own).filter((name) => PASSED_ON.includes(name) || LOCALE.test(name))
  const passed = names.map((name) => [name, own[name]] as const)
  return Object.fromEntries(
    [...passed, ...Object.entries(given)].flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

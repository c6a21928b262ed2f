// Whether there are file descriptors for another process. Without one for each of its pipes, Node makes a child without
// streams, on which execa throws, and whose later `error` event nothing hears.
import { closeSync, openSync } from 'node:fs'

/** Two of them tell whether the program could be executed, two are for what Node opens meanwhile. */
const SPARE = 4

/** `pipes`: of the process; each takes two descriptors while it starts. */
export function hasFreeDescriptors(pipes: number): boolean {
  const opened: number[] = []
  try {
    while (opened.length < 2 * pipes + SPARE) opened.push(openSync('/dev/null', 'r'))
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'EMFILE' && code !== 'ENFILE'
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

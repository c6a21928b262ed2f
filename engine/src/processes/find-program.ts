// Where a program is: the path that the configuration names, else the first in PATH, else what a package has brought.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { ProgramNeed } from '../plugin/program-need.js'

/** Paths of programs by name, from the configuration. */
export type ProgramPaths = Readonly<Record<string, string>>

export interface FoundProgram {
  readonly file: string
  readonly isExecutable: boolean
}

/** `path`: the folders in which names are found. Undefined if there is no such file. */
export function findProgram(need: ProgramNeed, path: string, named: ProgramPaths = {}): FoundProgram | undefined {
  const { program, path: ownPath = path, elsewhere = [] } = need
  const given = isAbsolute(program) ? program : named[program]
  if (given !== undefined) return lookAt([given])
  const folders = ownPath.split(delimiter).filter((folder) => folder !== '')
  return lookAt([...folders.map((folder) => join(folder, program)), ...elsewhere])
}

/** As execvp(3) does; a file that cannot be executed counts if there is no other. */
function lookAt(paths: readonly string[]): FoundProgram | undefined {
  const files = paths.filter(isFile)
  const executable = files.find(isExecutable)
  if (executable !== undefined) return { file: executable, isExecutable: true }
  return files[0] === undefined ? undefined : { file: files[0], isExecutable: false }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

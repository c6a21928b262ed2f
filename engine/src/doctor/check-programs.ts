// Whether the programs that nodes start are there, and may be executed by this user.
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { ProgramNeed } from '../plugin/contract.js'
import type { Demand, Finding } from './finding.js'

/** `path`: the folders in which programs are found. */
export function checkPrograms({ programs }: Pick<Demand, 'programs'>, path: string): readonly Finding[] {
  return programs.map((need) => {
    const check = `program ${need.program}`
    const found = findProgram(need, path)
    const nodes = `for ${need.nodes.join(', ')}`
    if (found === undefined) {
      const where = isAbsolute(need.program) ? 'does not exist' : 'is not in PATH'
      const advice = 'install it, or name it with its full path'
      return { check, level: 'fail', found: `${where}, ${nodes}`, advice }
    }
    if (isExecutable(found)) return { check, level: 'ok', found: `${found}, ${nodes}`, advice: '' }
    return { check, level: 'fail', found: `${found} is not executable, ${nodes}`, advice: `chmod +x ${found}` }
  })
}

/** As execvp(3) looks for it; a file that cannot be executed counts if there is no other. */
function findProgram({ program, path }: ProgramNeed, ownPath: string): string | undefined {
  if (isAbsolute(program)) return isFile(program) ? program : undefined
  const folders = (path ?? ownPath).split(delimiter).filter((folder) => folder !== '')
  const files = folders.map((folder) => join(folder, program)).filter(isFile)
  return files.find(isExecutable) ?? files[0]
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

// The programs that nodes cannot do without: whether they are there, and can do what the nodes need.
import process from 'node:process'
import { messageOf } from '../../errors.js'
import { findProgram } from '../../processes/find-program.js'
import type { ProgramPaths } from '../../processes/find-program.js'
import type { ProgramInspector } from '../../processes/program-inspector.js'
import type { ProgramNeed } from '../../plugin/program-need.js'
import type { Problems } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'

export interface ProgramChecks {
  readonly named: ProgramPaths
  readonly inspector: ProgramInspector
  readonly problems: Problems
}

/** Reports what is missing. A node of a missing program is reported once, however much it needs of it. */
export async function checkPrograms(nodes: readonly DraftNode[], checks: ProgramChecks): Promise<void> {
  for (const node of nodes) {
    if (checks.problems.isFull) return
    for (const need of needsOf(node, checks.problems)) await checkNeed(node, need, checks)
  }
}

function needsOf(
  { definition, ok, options, kind, name, place }: DraftNode,
  problems: Problems,
): readonly ProgramNeed[] {
  if (definition === undefined || !ok) return []
  try {
    return (definition.programs?.(options) ?? []).filter(({ install }) => install !== undefined)
  } catch (error) {
    problems.report('PLUGIN_FAULT', place, `programs() of ${titleOf(kind, name)} fails: ${messageOf(error)}`)
    return []
  }
}

async function checkNeed(
  { kind, name, place }: DraftNode,
  need: ProgramNeed,
  { named, inspector, problems }: ProgramChecks,
): Promise<void> {
  const title = titleOf(kind, name)
  const { program, install = '' } = need
  const found = findProgram(need, process.env['PATH'] ?? '', named)
  if (found?.isExecutable !== true) {
    const given = named[program]
    const where = found === undefined ? whereMissing(program, given) : `: ${found.file} is not executable`
    const help = found === undefined ? helpFor(install, given) : `chmod +x ${found.file}`
    problems.report('CONFIG_MISSING_PROGRAM', place, `${title} needs ${program}${where}`, { help })
    return
  }
  try {
    const report = await need.examine?.(inspector.of(found.file))
    for (const { what, help } of report?.lacks ?? []) {
      problems.report('CONFIG_UNFIT_PROGRAM', place, `${title}: ${found.file} ${what}`, { help })
    }
  } catch (error) {
    problems.report('PLUGIN_FAULT', place, `examine() of ${title} fails: ${messageOf(error)}`)
  }
}

function helpFor(install: string, given: string | undefined): string {
  return given === undefined ? `install it: ${install}` : 'correct that path in `engine`, or leave it out'
}

function whereMissing(program: string, given: string | undefined): string {
  if (given !== undefined) return `: ${given} does not exist`
  return program.startsWith('/') ? ', which does not exist' : ', which is not installed'
}

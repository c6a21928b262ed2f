// Whether the programs that nodes start are there, may be executed by this user, and can do what the nodes need.
import { isAbsolute } from 'node:path'
import { messageOf } from '../errors.js'
import { findProgram } from '../processes/find-program.js'
import type { ProgramInspector } from '../processes/program-inspector.js'
import type { Demand, Finding, Machine, ProgramDemand } from './finding.js'

/** The script, or the link to it. */
const ENGINE = /(?:^|\/)(?:engine(?:\.js)?|millrace)$/

/** `path`: the folders in which programs are found. */
export async function checkPrograms(
  { programs, programPaths }: Pick<Demand, 'programs' | 'programPaths'>,
  path: string,
  inspector: ProgramInspector,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const demand of programs) {
    const found = demand.needs.flatMap(({ need }) => findProgram(need, path, programPaths) ?? [])[0]
    const nodes = `for ${demand.needs.map(({ node }) => node).join(', ')}`
    const check = `program ${demand.program}`
    if (found === undefined) {
      findings.push(missing(check, nodes, demand, programPaths?.[demand.program]))
    } else if (!found.isExecutable) {
      const advice = `chmod +x ${found.file}`
      findings.push({ check, level: 'fail', found: `${found.file} is not executable, ${nodes}`, advice })
    } else {
      findings.push(...(await examine(check, nodes, demand, { file: found.file, inspector })))
    }
  }
  return findings
}

function missing(check: string, nodes: string, { program, needs }: ProgramDemand, given: string | undefined): Finding {
  const where = isAbsolute(program) ? 'does not exist' : 'is not in PATH'
  const install = needs.flatMap(({ need }) => need.install ?? [])[0]
  const advice = install === undefined ? 'install it, or name it with its full path' : `install it: ${install}`
  return { check, level: 'fail', found: `${given === undefined ? where : `${given} does not exist`}, ${nodes}`, advice }
}

/** One line for the program, and one for each thing that it lacks. */
async function examine(
  check: string,
  nodes: string,
  { needs }: ProgramDemand,
  { file, inspector }: { readonly file: string; readonly inspector: ProgramInspector },
): Promise<readonly Finding[]> {
  const versions = new Set<string>()
  const more = new Map<string, Finding>()
  for (const { node, need } of needs) {
    try {
      const report = await need.examine?.(inspector.of(file))
      if (report === undefined) continue
      if (report.version !== '') versions.add(` ${report.version}`)
      for (const { what, help } of report.lacks) {
        more.set(`${node} ${what}`, { check, level: 'fail', found: `${what}, for ${node}`, advice: help })
      }
      for (const remark of report.remarks ?? []) more.set(remark, { check, level: 'warn', found: remark, advice: '' })
    } catch (error) {
      more.set(node, { check, level: 'fail', found: `examine() of ${node} fails: ${messageOf(error)}`, advice: '' })
    }
  }
  return [{ check, level: 'ok', found: `${file}${[...versions].join('')}, ${nodes}`, advice: '' }, ...more.values()]
}

/**
 * In a container without an init, the engine is process 1: what its programs leave behind becomes its child, and Node does
 * not ask for the exit codes of processes that it has not started.
 */
export function checkInit({ read }: Pick<Machine, 'read'>, { programs }: Pick<Demand, 'programs'>): readonly Finding[] {
  // An init names the engine too, among its arguments.
  const [program = '', ...words] = read('/proc/1/cmdline')?.split('\0') ?? []
  const isEngine = /(?:^|\/)node$/.test(program) && words.some((word) => ENGINE.test(word))
  if (programs.length === 0 || !isEngine) return []
  const found = 'the engine itself: processes that outlive the program which started them stay as zombies'
  return [{ check: 'process 1', level: 'warn', found, advice: 'start the container with an init: docker run --init' }]
}

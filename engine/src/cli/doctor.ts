// `engine doctor [FILE...]`: whether this machine can run the engine, and the files; each line says what to do.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { loadConfig } from '../config/load-config.js'
import type { LoadOptions } from '../config/load-config.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { ENGINE_SCHEMA } from '../config/section/settings.js'
import { checkDescriptors, checkKernel, checkNode, checkTools } from '../doctor/check-machine.js'
import { checkPorts } from '../doctor/check-ports.js'
import { checkStateDir } from '../doctor/check-state-dir.js'
import type { Demand, Finding, Level, Machine } from '../doctor/finding.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { DELIVERY } from '../plugin/tokens.js'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { renderTable } from './render-table.js'
import { styleFor } from './terminal-style.js'
import type { Paint, TerminalStyle } from './terminal-style.js'

const TOOL_TIMEOUT_MS = 5000

export interface DoctorOptions extends LoadOptions {
  readonly json?: boolean | undefined
  /** The working folder. */
  readonly folder: string
  /** By default the one that this process runs on. */
  readonly machine?: Machine
}

/** Resolves with the exit code: 0, 1 where something fails, 78 where the files have mistakes. */
export async function runDoctor(
  files: readonly string[],
  streams: CliStreams,
  options: DoctorOptions,
): Promise<number> {
  const loaded = files.length === 0 ? undefined : await loadConfig(files, options)
  streams.err.write(renderText(loaded?.diagnostics ?? []))
  if (loaded !== undefined && loaded.graph === undefined) return EXIT.config
  const machine = options.machine ?? thisMachine()
  const findings = await examine(machine, demandOf(loaded?.graph, options.folder))
  const { out, env } = streams
  out.write(
    options.json === true ? `${JSON.stringify(findings, undefined, 2)}\n` : render(findings, styleFor(out, env)),
  )
  return findings.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.ok
}

async function examine(machine: Machine, demand: Demand): Promise<readonly Finding[]> {
  return [
    checkNode(machine),
    checkDescriptors(machine, demand),
    ...checkKernel(machine, demand),
    ...(await checkPorts(demand)),
    checkStateDir(demand.stateDir),
    ...(await checkTools(machine)),
  ]
}

function demandOf(graph: Graph | undefined, folder: string): Demand {
  if (graph === undefined) {
    const { api, maxClients, stateDir } = ENGINE_SCHEMA.parse({})
    return { perOutput: [], maxClients, stateDir: resolve(folder, stateDir), listeners: [['api', api.address]] }
  }
  const outputs = graph.pipelines.flatMap(({ nodes }) => nodes.filter(({ definition }) => definition.kind === 'output'))
  return {
    perOutput: outputs.flatMap((node) => maxClientsOf(node) ?? []),
    maxClients: graph.engine.maxClients,
    stateDir: graph.engine.stateDir,
    listeners: graph.listeners.map(({ name, address }) => [name, address] as const),
  }
}

/** Of an output whose viewers the engine serves; 0 where nothing limits them. */
function maxClientsOf({ definition, options }: NodeSettings): number | undefined {
  if (!Object.values(definition.inject ?? {}).includes(DELIVERY)) return undefined
  const { clients } = (options ?? {}) as { readonly clients?: { readonly max?: unknown } }
  return typeof clients?.max === 'number' ? clients.max : 0
}

function thisMachine(): Machine {
  return {
    nodeVersion: process.version,
    platform: process.platform,
    memoryBytes: totalmem(),
    descriptorLimit: readDescriptorLimit(),
    read(path) {
      try {
        return readFileSync(path, 'utf8').trim()
      } catch {
        return undefined
      }
    },
    run: (program, args) =>
      new Promise((resolved) => {
        execFile(program, [...args], { timeout: TOOL_TIMEOUT_MS }, (error, stdout, stderr) => {
          // Some say their version and then end with an error; what is not there has said nothing.
          const [line = ''] = `${stdout}\n${stderr}`.trim().split('\n', 1)
          resolved(error?.code === 'ENOENT' || line === '' ? undefined : line)
        })
      }),
  }
}

function render(findings: readonly Finding[], style: TerminalStyle): string {
  const paints: Readonly<Record<Level, Paint>> = { ok: style.green, warn: style.yellow, fail: style.red }
  const rows = findings.map(({ level, check, found, advice }) => [
    { text: level, paint: paints[level] },
    { text: printable(check) },
    { text: printable(advice === '' ? found : `${found}; ${advice}`) },
  ])
  return `${renderTable(rows).join('\n')}\n`
}

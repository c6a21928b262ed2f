// What `engine doctor` examines: this machine, against what the configuration demands of it.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { networkInterfaces, totalmem } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { readResources } from '../config/section/resources.js'
import { ENGINE_SCHEMA } from '../config/section/settings.js'
import { checkDescriptors, checkEncoders, checkKernel, checkNode, checkTools } from '../doctor/check-machine.js'
import { checkInterfaces } from '../doctor/check-interfaces.js'
import { checkPorts } from '../doctor/check-ports.js'
import { checkInit, checkPrograms } from '../doctor/check-programs.js'
import { checkStateDir } from '../doctor/check-state-dir.js'
import type { Demand, Finding, Machine, ProgramDemand } from '../doctor/finding.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { API_LISTENER, listenerNodeId } from '../graph/node-id.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { DELIVERY, SOCKETS } from '../plugin/tokens.js'
import type { ProgramNeed } from '../plugin/program-need.js'
import { ProgramInspector } from '../processes/program-inspector.js'

const TOOL_TIMEOUT_MS = 5000

export async function examineMachine(machine: Machine, demand: Demand): Promise<readonly Finding[]> {
  return [
    checkNode(machine),
    checkDescriptors(machine, demand),
    ...checkKernel(machine, demand),
    ...(await checkPorts(demand)),
    ...checkInterfaces(machine, demand, networkInterfaces()),
    await checkStateDir(demand.stateDir),
    ...(await checkPrograms(demand, process.env['PATH'] ?? '', new ProgramInspector())),
    ...checkInit(machine, demand),
    // Those that nodes need have been looked for where the configuration says.
    ...(await checkTools(machine)).filter(({ check }) => !demand.programs.some(({ program }) => program === check)),
    ...(await checkEncoders(machine, demand)),
  ]
}

/** Without a graph, the demand of the default settings, with the state folder below `folder`. */
export function demandOf(graph: Graph | undefined, folder: string): Demand {
  if (graph === undefined) {
    const { api, maxClients, stateDir } = ENGINE_SCHEMA.parse({})
    const listeners = [[API_LISTENER, api.address]] as const
    const common = { perOutput: [], programs: [], udpAddresses: [], interfaces: [], receiveBuffers: [] }
    return { ...common, maxClients, stateDir: resolve(folder, stateDir), listeners }
  }
  const nodes = graph.pipelines.flatMap((pipeline) => pipeline.nodes)
  const outputs = nodes.filter(({ definition }) => definition.kind === 'output')
  return {
    perOutput: outputs.flatMap((node) => maxClientsOf(node) ?? []),
    maxClients: graph.engine.maxClients,
    stateDir: graph.engine.stateDir,
    listeners: graph.listeners.map(({ name, address }) => [name, address, transportOf(graph, name)] as const),
    programs: programsOf(graph),
    programPaths: graph.engine.programs ?? {},
    udpAddresses: nodes.flatMap((node) =>
      resourcesOf(node).flatMap((each) =>
        each.kind === 'udp' && each.shared !== true ? [[node.id, each.address] as const] : [],
      ),
    ),
    interfaces: nodes.flatMap((node) => {
      const { interface: wanted } = socketOptionsOf(node)
      return typeof wanted === 'string' ? [[node.id, wanted] as const] : []
    }),
    receiveBuffers: nodes.flatMap((node) => {
      const { receiveBuffer: bytes } = socketOptionsOf(node)
      return typeof bytes === 'number' ? [[node.id, bytes] as const] : []
    }),
  }
}

function transportOf({ services }: Graph, name: string): 'tcp' | 'udp' {
  const definition = services.find(({ id }) => id === listenerNodeId(name))?.definition
  return definition?.kind === 'listener' ? definition.transport : 'tcp'
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
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
          // Some tools print their version and then exit with an error; a missing tool prints nothing.
          const text = `${stdout}\n${stderr}`.trimEnd()
          resolved(error?.code === 'ENOENT' || text === '' ? undefined : text)
        })
      }),
  }
}

/** Each program once, with the nodes that start it. */
function programsOf(graph: Graph): Demand['programs'] {
  const found = new Map<string, ProgramDemand & { readonly needs: { node: string; need: ProgramNeed }[] }>()
  for (const { id, definition, options } of [...graph.services, ...graph.pipelines.flatMap(({ nodes }) => nodes)]) {
    for (const need of needsOf(definition, options)) {
      const key = `${need.program}\0${need.path ?? ''}`
      const known = found.get(key)
      const { program, path } = need
      const entry = { node: id, need }
      if (known !== undefined) known.needs.push(entry)
      else found.set(key, { program, ...(path === undefined ? {} : { path }), needs: [entry] })
    }
  }
  return [...found.values()]
}

/** With `--no-env`, options can be unknown; what a plugin throws, `check` reports. */
function needsOf(definition: NodeSettings['definition'], options: unknown): readonly ProgramNeed[] {
  if (options === undefined) return []
  try {
    return definition.programs?.(options) ?? []
  } catch {
    return []
  }
}

/** The viewer limit of an output that serves viewers through the engine, 0 without a limit; undefined for others. */
function maxClientsOf({ definition, options }: NodeSettings): number | undefined {
  if (!Object.values(definition.inject ?? {}).includes(DELIVERY)) return undefined
  const { clients } = (options ?? {}) as { readonly clients?: { readonly max?: unknown } }
  return typeof clients?.max === 'number' ? clients.max : 0
}

/** Options of a node with sockets of its own. */
function socketOptionsOf({ definition, options }: NodeSettings): {
  readonly receiveBuffer?: unknown
  readonly interface?: unknown
} {
  return Object.values(definition.inject ?? {}).includes(SOCKETS) ? (options ?? {}) : {}
}

/** With `--no-env`, options can be unknown. */
function resourcesOf(node: NodeSettings): ReturnType<typeof readResources> {
  return node.options === undefined ? [] : readResources(node)
}

// What `engine doctor` examines: this machine, against what the configuration demands of it.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { resolve } from 'node:path'
import process from 'node:process'
import { ENGINE_SCHEMA } from '../config/section/settings.js'
import { checkDescriptors, checkKernel, checkNode, checkTools } from '../doctor/check-machine.js'
import { checkPorts } from '../doctor/check-ports.js'
import { checkStateDir } from '../doctor/check-state-dir.js'
import type { Demand, Finding, Machine } from '../doctor/finding.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { API_LISTENER, listenerNodeId } from '../graph/node-id.js'
import { readDescriptorLimit } from '../observe/descriptor-limit.js'
import { DELIVERY } from '../plugin/tokens.js'

const TOOL_TIMEOUT_MS = 5000

export async function examineMachine(machine: Machine, demand: Demand): Promise<readonly Finding[]> {
  return [
    checkNode(machine),
    checkDescriptors(machine, demand),
    ...checkKernel(machine, demand),
    ...(await checkPorts(demand)),
    checkStateDir(demand.stateDir),
    ...(await checkTools(machine)),
  ]
}

/** Without a graph, the demand of the default settings, with the state folder below `folder`. */
export function demandOf(graph: Graph | undefined, folder: string): Demand {
  if (graph === undefined) {
    const { api, maxClients, stateDir } = ENGINE_SCHEMA.parse({})
    return { perOutput: [], maxClients, stateDir: resolve(folder, stateDir), listeners: [[API_LISTENER, api.address]] }
  }
  const outputs = graph.pipelines.flatMap(({ nodes }) => nodes.filter(({ definition }) => definition.kind === 'output'))
  return {
    perOutput: outputs.flatMap((node) => maxClientsOf(node) ?? []),
    maxClients: graph.engine.maxClients,
    stateDir: graph.engine.stateDir,
    listeners: graph.listeners.map(({ name, address }) => [name, address, transportOf(graph, name)] as const),
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
          const [line = ''] = `${stdout}\n${stderr}`.trim().split('\n', 1)
          resolved(error?.code === 'ENOENT' || line === '' ? undefined : line)
        })
      }),
  }
}

/** The viewer limit of an output that serves viewers through the engine, 0 without a limit; undefined for others. */
function maxClientsOf({ definition, options }: NodeSettings): number | undefined {
  if (!Object.values(definition.inject ?? {}).includes(DELIVERY)) return undefined
  const { clients } = (options ?? {}) as { readonly clients?: { readonly max?: unknown } }
  return typeof clients?.max === 'number' ? clients.max : 0
}

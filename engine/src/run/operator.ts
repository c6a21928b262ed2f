// What an operator can do to the nodes of a running engine, and ask about them.
import type { Logger } from 'pino'
import type { EngineAudiences } from '../audience/engine-audiences.js'
import { linesOf } from '../observe/log-lines.js'
import { explain } from '../observe/explain.js'
import { operatorError } from '../observe/operator-errors.js'
import {
  type Explanation,
  type NodeAction,
  type NodeActionResult,
  type NodeOptions,
  type Operator,
  type TapReader,
} from '../observe/operator.js'
import { viewersReachedFrom } from '../observe/pipeline-path.js'
import type { ClientStatus, EngineStatus } from '../observe/status.js'
import { effectiveNode } from '../config/effective-config.js'
import { didYouMean } from '../config/report/did-you-mean.js'
import { nodesOf } from '../reload/match-nodes.js'
import { maskUrlQueries } from '../graph/mask-url-queries.js'
import { MAIN_PORT } from '../graph/node-id.js'
import type { Json } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { Running } from './change/reload-transaction.js'
import type { Port } from './edge/port.js'
import { InputRunner } from './node/input-runner.js'
import type { AnyNodeRunner } from './node/node-runner.js'
import { TransformRunner } from './node/transform-runner.js'
import type { PipelineNode } from './pipeline/wiring.js'
import { PortTap } from './port-tap.js'
import type { RunningNodes } from './running-nodes.js'

export interface OperatorParts {
  readonly clock: Clock
  readonly log: Logger
  readonly running: Pick<Running, 'pipelines' | 'graph'>
  readonly nodes: RunningNodes
  readonly view: { readonly state: EngineStatus['state']; clients(): readonly ClientStatus[] }
  readonly audiences: Pick<EngineAudiences, 'of'>
  /** See ReloadExecutor. */
  replaceFailed(node: AnyNodeRunner): Promise<void>
}

const WARNING = /"level":"(warn|error|fatal)"/
const MOST_TAPS = 8
/** As an input says it. */
const WAITED = /^no key frame for (\d+) s$/
const LATE_S = 5

export class EngineOperator implements Operator {
  readonly #parts: OperatorParts
  readonly #taps = new Set<PortTap>()

  constructor(parts: OperatorParts) {
    this.#parts = parts
  }

  async act(id: string, action: NodeAction): Promise<NodeActionResult> {
    const node = this.#find(id)
    const pipeline = this.#pipelineOf(id)
    const viewers = pipeline === undefined ? 0 : viewersReachedFrom(pipeline.status(), id)
    this.#refuse(node, action)
    this.#parts.log.info({ node: id, viewers }, `an operator asks to ${action} a node`)
    if (node.state === 'failed') await this.#parts.replaceFailed(node)
    else {
      const why = action === 'disable' ? 'disabled by an operator' : 'restarting'
      const turn = action === 'enable' ? undefined : await node.halt.begin(why)
      if (action !== 'disable') await node.halt.end(turn)
    }
    return { action, node: (this.#parts.nodes.get(id) ?? node).status(), viewers }
  }

  explain(id: string): Explanation | undefined {
    const { view, log, audiences } = this.#parts
    const status = this.#pipelineOf(id)?.status()
    const runners = this.#pipelineOf(id)?.nodes ?? []
    if (status === undefined || !runners.some((each) => each.id === id)) return undefined
    const cannotStart = startObstacles(runners)
    const warnings = linesOf(log)
      .recent()
      .flatMap(({ text }) => warningOf(text))
    const refusals = status.nodes.flatMap(({ id: node }) =>
      (audiences.of(node)?.recentRefusals() ?? []).map((each) => ({ node, ...each })),
    )
    const clients = view.clients()
    return explain({ engine: view.state, pipeline: status, node: id, cannotStart, clients, refusals, warnings })
  }

  options(id: string): NodeOptions | undefined {
    const { nodes, running } = this.#parts
    const settings = nodes.get(id)?.settings
    if (settings === undefined) return undefined
    const { file, line, column } = settings.at
    const options = maskUrlQueries(running.graph.secrets.maskValue(effectiveNode(settings))) as Json
    return { node: id, at: `${file}:${line}:${column}`, options }
  }

  tap(id: string, port: string | undefined, reader: TapReader): Disposable {
    this.#portOf(this.#find(id), port)
    if (this.#taps.size >= MOST_TAPS) throw operatorError('TAP_TOO_MANY', `${MOST_TAPS} taps are open`)
    const find = (): Port | undefined => {
      const node = this.#parts.nodes.get(id)
      return node === undefined ? undefined : this.#portOf(node, port)
    }
    const tap = new PortTap(this.#parts.clock, find, {
      take: (chunk) => reader.take(chunk),
      end: () => {
        this.#taps.delete(tap)
        reader.end()
      },
    })
    this.#taps.add(tap)
    tap.start()
    return {
      [Symbol.dispose]: () => {
        this.#taps.delete(tap)
        tap[Symbol.dispose]()
      },
    }
  }

  #find(id: string): AnyNodeRunner {
    const { nodes } = this.#parts
    const node = nodes.get(id)
    if (node !== undefined) return node
    const help =
      didYouMean(
        id,
        nodes.all.map((each) => each.id),
        'nodes',
      ) ?? 'none runs'
    throw operatorError('NODE_ACTION_UNKNOWN', `there is no node "${id}": ${help}`)
  }

  #refuse({ id, state }: AnyNodeRunner, action: NodeAction): void {
    const isInGraph = nodesOf(this.#parts.running.graph).some((node) => node.id === id)
    if (state === 'ended') throw operatorError('NODE_ACTION_OVER', `${id} has ended`)
    // A copy of a pattern pipeline comes and goes with its publisher.
    if (state === 'failed' && (action === 'disable' || !isInGraph)) {
      throw operatorError('NODE_ACTION_OVER', `${id} has failed for good`)
    }
  }

  #portOf(node: AnyNodeRunner, name: string | undefined): Port {
    const port = node instanceof InputRunner && (name ?? MAIN_PORT) === MAIN_PORT ? node.port : undefined
    const only = node instanceof TransformRunner && node.ports.size === 1 ? [...node.ports.keys()][0] : MAIN_PORT
    const found = node instanceof TransformRunner ? node.ports.get(name ?? only ?? MAIN_PORT) : port
    if (found !== undefined) return found
    const ports =
      node instanceof TransformRunner ? [...node.ports.keys()] : node instanceof InputRunner ? [MAIN_PORT] : []
    const help = ports.length === 0 ? 'an output has no ports' : `its ports: ${ports.join(', ')}`
    throw operatorError('TAP_NO_PORT', `${node.id} has no port "${name ?? MAIN_PORT}": ${help}`)
  }

  #pipelineOf(id: string): OperatorParts['running']['pipelines'][number] | undefined {
    const name = id.slice(0, id.indexOf('/'))
    return this.#parts.running.pipelines.find((pipeline) => pipeline.name === name)
  }
}

/** A key frame that is not late is no obstacle. */
function startObstacles(nodes: readonly PipelineNode[]): ReadonlyMap<string, string> {
  const inputs = nodes.filter((node) => node instanceof InputRunner)
  const longestGopMs = Math.max(0, ...inputs.map(({ port }) => port.randomAccessIntervalMs))
  const lateS = Math.max(LATE_S, (2 * longestGopMs) / 1000)
  const found = nodes.flatMap((node) => {
    if (!('whyNoStart' in node)) return []
    const seconds = Number(WAITED.exec(node.whyNoStart)?.[1] ?? Infinity)
    return seconds < lateS ? [] : [[node.id, node.whyNoStart] as const]
  })
  return new Map(found)
}

function warningOf(line: string): readonly { readonly node: string; readonly text: string }[] {
  if (!WARNING.test(line)) return []
  try {
    const { node, msg, why } = JSON.parse(line) as Readonly<Record<string, unknown>>
    if (typeof node !== 'string' || typeof msg !== 'string') return []
    return [{ node, text: typeof why === 'string' && !msg.includes(why) ? `${msg}: ${why}` : msg }]
  } catch {
    return []
  }
}

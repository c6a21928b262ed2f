// Inputs that are to take the place of a stream that flows now, by a change of `from`: viewers move to them only if they
// deliver, as they do to an input that replaces another one. An added input that nothing flows from yet needs no upstream.
import type { Clock } from '../../plugin/tokens.js'
import { isGone } from '../node/become-ready.js'
import { SILENT_AFTER_MS } from '../node/input-liveness.js'
import { InputRunner } from '../node/input-runner.js'
import { runError } from '../node/run-errors.js'
import type { PipelineNode } from '../pipeline/wiring.js'
import type { Step } from './node-step.js'

const LOOK_EVERY_MS = 50

/** The inputs that a node will read in place of those that it reads now; one of them has to deliver. */
export type NextInputs = readonly InputRunner[]

/** `running`: all nodes, in graph order as the steps. */
export function inputsToDeliver(
  steps: readonly Step[],
  running: readonly PipelineNode[],
  nowMs: number,
): readonly NextInputs[] {
  const before = rootsOf(running, (node) => (node instanceof InputRunner ? node : undefined))
  const after = rootsOf(steps, ({ node, ...step }) => (node instanceof InputRunner ? { node, ...step } : undefined))
  return steps.flatMap(({ settings, old }) => {
    const inputs = after.get(settings.id) ?? []
    if (old === undefined || old instanceof InputRunner || !receives(old, nowMs)) return []
    const read = before.get(old.id) ?? []
    // Those that replace a running one have a cutover of their own; those that take publishers cannot have any yet.
    const isOther = inputs.every((input) => !read.some((each) => each === input.old) && input.verb !== 'handoff')
    const isAwaited = inputs.some(({ node, old: own }) => own === undefined && node.settings.publish !== undefined)
    return isOther && !isAwaited && inputs.length > 0 ? [inputs.map(({ node }) => node)] : []
  })
}

/** By id, what `inputOf` gives for the inputs that a node reads, through others too. */
function rootsOf<T extends Pick<PipelineNode, 'settings'>, I>(
  nodes: readonly T[],
  inputOf: (node: T) => I | undefined,
): ReadonlyMap<string, readonly I[]> {
  const roots = new Map<string, readonly I[]>()
  for (const node of nodes) {
    const own = inputOf(node)
    const read = node.settings.from.flatMap((ref) => roots.get(ref.node) ?? [])
    roots.set(node.settings.id, own === undefined ? [...new Set(read)] : [own])
  }
  return roots
}

function receives(node: Exclude<PipelineNode, InputRunner>, nowMs: number): boolean {
  return node.edges.some(({ lastChunkMs }) => nowMs - lastChunkMs < SILENT_AFTER_MS)
}

/**
 * Resolves when packets come from it, when by design nobody sends to it yet, or when it has ended. Rejects when it has
 * failed or is stopped, and with NODE_NOT_READY after `withinMs` or once `isGivenUp`.
 */
export function becomeDelivering(
  node: InputRunner,
  withinMs: number,
  clock: Clock,
  isGivenUp: () => boolean,
): Promise<void> {
  const untilMs = clock.nowMs() + withinMs
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      if (isGivenUp()) reject(notReady(node, 'the reload was given up'))
      else if (isGone(node)) reject(node.failure ?? notReady(node, 'it is stopped'))
      else if (delivers(node) || node.state === 'ended') resolve()
      else if (clock.nowMs() < untilMs) return false
      else reject(notReady(node, node.why === '' ? 'it sends nothing' : node.why))
      return true
    }
    if (look()) return
    const timer = clock.every(LOOK_EVERY_MS, () => {
      if (look()) timer[Symbol.dispose]()
    })
  })
}

/** One that has not fed its readers yet has sent something, or cannot have. */
function delivers(node: InputRunner): boolean {
  return node.isAside ? node.packets > 0 || node.state === 'idle' : !node.isSilent(SILENT_AFTER_MS)
}

function notReady({ id }: InputRunner, why: string): Error {
  return runError('NODE_NOT_READY', `${id} cannot take the place of a stream that flows: ${why}`, { at: id })
}

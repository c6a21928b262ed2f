// A node that opens only when another has let go of what both take. What comes meanwhile waits on its edges, up to their
// bound; if it can't open, what had its place opens again.
import { becomeReady } from '../node/become-ready.js'
import { InputRunner } from '../node/input-runner.js'
import type { Step } from './node-step.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { addEdges, createNode, type PipelineNode } from '../pipeline/wiring.js'

/** How long a node that takes the place of another may need to become ready. */
export const READY_WITHIN_MS = 10_000
export const DISMISS_WITHIN_MS = 5000

/**
 * After the old node has let go. Rejects with the reason why it could not open; then the old definition has been opened
 * again. `signal` aborts when the engine stops: then nothing is opened any more.
 */
export async function restartExclusive(step: Step, runner: PipelineRunner, signal: AbortSignal): Promise<void> {
  const { old } = step
  try {
    await unlessAborted(enter(step.node, step.holds, runner), signal)
  } catch (error) {
    if (old !== undefined && !signal.aborted) await unlessAborted(goBack(step, old, runner, signal), signal)
    // Nobody waits for what waits for a node that is not there.
    for (const hold of step.holds) hold[Symbol.dispose]()
    throw error
  }
}

/** Opens what had the place before. If that fails too, it says so itself. */
async function goBack(step: Step, old: PipelineNode, runner: PipelineRunner, signal: AbortSignal): Promise<void> {
  const { services, container } = runner
  const { settings, node: failed } = step
  const before = { ...old.settings, id: settings.id, from: settings.from }
  const again = createNode(before, services, container, { isStandby: true, isHandoff: true, before: failed })
  step.node = again
  const holds: Disposable[] = []
  if (!(again instanceof InputRunner) && !(failed instanceof InputRunner)) {
    const ports = failed.edges.map(({ port }) => port)
    addEdges(again, services, (_ref, index) => ports[index])
    for (const [index, edge] of again.edges.entries()) {
      holds.push(edge.inlet.hold())
      for (const chunk of failed.edges[index]?.takeQueue() ?? []) edge.push(chunk)
      edge.port?.connect(edge)
    }
  }
  await runner.dismiss(failed, 'it could not open', DISMISS_WITHIN_MS)
  if (!signal.aborted) await enter(again, holds, runner).catch(() => undefined)
}

async function enter(node: PipelineNode, holds: readonly Disposable[], { services }: PipelineRunner): Promise<void> {
  node.activate()
  await node.start()
  for (const hold of holds) hold[Symbol.dispose]()
  if (!(node instanceof InputRunner)) await becomeReady(node, READY_WITHIN_MS, services.clock)
}

/** Rejects when the signal aborts first, or has; what becomes of the promise then is nobody's business. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined)
  let stop: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Error(String(signal.reason)))
  })
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await Promise.race([aborted, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

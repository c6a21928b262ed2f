// Opens a node only after another node has released the exclusive resource that both need. Chunks that arrive meanwhile
// wait on its edges, up to their bound. If the node can't open, the old one opens again.
import { becomeReady } from '../node/become-ready.js'
import { InputRunner } from '../node/input-runner.js'
import type { Step } from './node-step.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import { addEdges, type PipelineNode } from '../pipeline/wiring.js'

/** Time limit for a node that replaces another to become ready. */
export const READY_WITHIN_MS = 10_000
export const STOP_WITHIN_MS = 5000

/**
 * Called after the old node has released the resource. Rejects with the reason why the node could not open; by then the
 * old definition has been opened again. `signal` aborts when the engine stops; nothing is opened after that.
 */
export async function restartExclusive(step: Step, runner: PipelineRunner, signal: AbortSignal): Promise<void> {
  const { old } = step
  try {
    await unlessAborted(activateAndStart(step.node, step.holds, runner), signal)
  } catch (error) {
    if (old !== undefined && !signal.aborted) await unlessAborted(reopenOld(step, old, runner, signal), signal)
    // The node is not open, so its inputs must not wait for it.
    for (const hold of step.holds) hold[Symbol.dispose]()
    throw error
  }
}

/** Opens the old definition again. If that fails too, the node reports its own failure. */
async function reopenOld(step: Step, old: PipelineNode, runner: PipelineRunner, signal: AbortSignal): Promise<void> {
  const { settings, node: failed } = step
  const before = { ...old.settings, id: settings.id, from: settings.from }
  const again = runner.services.createNode(before, { isStandby: true, isHandoff: true, before: failed })
  again.takePrevious(failed)
  step.node = again
  const holds: Disposable[] = []
  if (!(again instanceof InputRunner) && !(failed instanceof InputRunner)) {
    const ports = failed.edges.map(({ port }) => port)
    addEdges(again, (_ref, index) => ports[index])
    for (const [index, edge] of again.edges.entries()) {
      holds.push(edge.inlet.hold())
      for (const chunk of failed.edges[index]?.takeQueue() ?? []) edge.push(chunk)
      edge.port?.connect(edge)
    }
  }
  await runner.stopNode(failed, 'it could not open', STOP_WITHIN_MS)
  if (!signal.aborted) await activateAndStart(again, holds, runner).catch(() => undefined)
}

async function activateAndStart(
  node: PipelineNode,
  holds: readonly Disposable[],
  { services }: PipelineRunner,
): Promise<void> {
  node.activate()
  await node.start()
  for (const hold of holds) hold[Symbol.dispose]()
  if (!(node instanceof InputRunner)) await becomeReady(node, READY_WITHIN_MS, services.clock)
}

/** Rejects if the signal has aborted or aborts first; the promise's later result is ignored. */
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

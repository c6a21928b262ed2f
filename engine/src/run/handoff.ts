// A node that opens only when another has let go of what both take. What comes meanwhile waits on its edges, up to their
// bound; if it can't open, what had its place opens again.
import { becomeReady } from './become-ready.js'
import { InputRunner } from './input-runner.js'
import type { Step } from './node-step.js'
import type { PipelineRunner } from './pipeline-runner.js'
import { addEdges, createNode, type PipelineNode } from './wiring.js'

/** How long a node that takes the place of another may need to become ready. */
export const READY_WITHIN_MS = 10_000
export const DISMISS_WITHIN_MS = 5000

/**
 * After the old node has let go. Rejects with the reason why it could not open; then the old definition has been opened
 * again. `givenUp` rejects when the engine stops: then nothing is opened any more.
 */
export async function handOff(step: Step, runner: PipelineRunner, givenUp: Promise<never>): Promise<void> {
  const { old } = step
  try {
    await Promise.race([enter(step.node, step.holds, runner), givenUp])
  } catch (error) {
    const isStopping = await Promise.race([givenUp.catch(() => true), Promise.resolve(false)])
    if (old !== undefined && !isStopping) await Promise.race([goBack(step, old, runner), givenUp])
    throw error
  }
}

/** Opens what had the place before. If that fails too, it says so itself. */
async function goBack(step: Step, old: PipelineNode, runner: PipelineRunner): Promise<void> {
  const { services, container } = runner
  const { settings, node: failed } = step
  const before = { ...old.settings, id: settings.id, from: settings.from }
  const again = createNode(before, services, container, { isStaged: true, isHandoff: true, before: failed })
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
  await enter(again, holds, runner).catch(() => undefined)
}

async function enter(node: PipelineNode, holds: readonly Disposable[], { services }: PipelineRunner): Promise<void> {
  node.takePlace()
  await node.start()
  for (const hold of holds) hold[Symbol.dispose]()
  if (!(node instanceof InputRunner)) await becomeReady(node, READY_WITHIN_MS, services.clock)
}

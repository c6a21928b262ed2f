// A node that opens only when another has let go of what both take. What comes meanwhile waits on its edges, up to their
// bound; if it can't open, what had its place opens again.
import { becomeReady } from './become-ready.js'
import { InputRunner } from './input-runner.js'
import type { Step } from './node-step.js'
import type { PipelineRunner } from './pipeline-runner.js'
import { createNode, type PipelineNode } from './wiring.js'

/** How long a node that takes the place of another may need to become ready. */
export const READY_WITHIN_MS = 10_000
export const DISMISS_WITHIN_MS = 5000

/** Rejects with the reason why it could not open; then the old definition has been opened again. */
export async function handOff(step: Step, runner: PipelineRunner): Promise<void> {
  const { old, settings } = step
  await old?.stop('its place is handed off', DISMISS_WITHIN_MS)
  try {
    await enter(step.node, step.holds, runner)
  } catch (error) {
    if (old === undefined) throw error
    const { services, container } = runner
    const failed = step.node
    const before = { ...old.settings, id: settings.id, from: settings.from }
    const again = createNode(before, services, container, { isStaged: true, isHandoff: true, before: failed })
    if (!(again instanceof InputRunner) && !(failed instanceof InputRunner)) again.edges.push(...failed.edges)
    await failed.stop('it could not open', DISMISS_WITHIN_MS)
    step.node = again
    // If that fails too it says so itself, as any node does.
    await enter(again, [], runner).catch(() => undefined)
    throw error
  }
}

async function enter(node: PipelineNode, holds: readonly Disposable[], { services }: PipelineRunner): Promise<void> {
  node.takePlace()
  await node.start()
  for (const hold of holds) hold[Symbol.dispose]()
  if (!(node instanceof InputRunner)) await becomeReady(node, READY_WITHIN_MS, services.clock)
}

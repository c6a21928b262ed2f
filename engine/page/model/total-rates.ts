// What enters and leaves the engine, in bits per second.
import type { EngineModel } from './engine-model.js'

export function totalRates({ nodes, patterns }: EngineModel): { readonly input: number; readonly output: number } {
  let [input, output] = [0, 0]
  for (const { status, received, sent, pattern } of nodes.values()) {
    if (pattern !== undefined) continue
    if (status.kind === 'input') input += received.latest
    if (status.kind === 'output') output += sent.latest
  }
  for (const { received, sent } of patterns.values()) [input, output] = [input + received.latest, output + sent.latest]
  return { input, output }
}

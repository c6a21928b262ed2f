// The memory of the windows of all outputs, and what the configuration in force lets them hold.
import { textOf } from './config-model.js'
import type { ConfigModel, NodeModel, PipelineModel } from './config-model.js'
import type { EngineClient } from './engine-client.js'
import { FAST_CLIP, GUEST_CLIP, MULTI_CLIPS } from './first-config.js'

/** Bytes per second of each clip, by file name. */
export type ClipRates = ReadonlyMap<string, number>

export interface WindowMemory {
  readonly bytes: number
  readonly boundBytes: number
}

const DEFAULT_DURATION = '10s'
/**
 * A window is made of blocks of a 32nd of it: one is being filled, one has been dropped in part, two wait for reuse: an
 * eighth. Preambles and bridges take another eighth, as GOPs have only 200 ms. The rest is for bytes that arrive in bursts
 * when the machine is busy.
 */
const SHARE = 1.5
/** Blocks of slow streams have a minimum: one chunk. */
const MIN_BLOCKS = 128 * 1024

export async function readWindows(
  engine: EngineClient,
  model: ConfigModel,
  clipRates: ClipRates,
): Promise<WindowMemory> {
  let [bytes, boundBytes] = [0, 0]
  for (const { labels, value } of (await engine.metrics(model)).all('millrace_output_window_bytes')) {
    const pipeline = model.pipelines.find(({ name }) => name === labels['pipeline'])
    const output = pipeline?.outputs.find(({ id }) => id === labels['node'])
    bytes += value
    if (pipeline !== undefined && output !== undefined) boundBytes += boundOf(pipeline, output, clipRates)
  }
  return { bytes, boundBytes }
}

function boundOf(pipeline: PipelineModel, { options }: NodeModel, clipRates: ClipRates): number {
  const seconds = Number.parseInt(textOf(options, 'window.duration') || DEFAULT_DURATION, 10)
  const rates = clipsOf(pipeline).map((name) => clipRates.get(name) ?? 0)
  return seconds * Math.max(...rates) * SHARE + MIN_BLOCKS
}

/** All clips that it may have received lately. */
function clipsOf({ clips, isRelay, inputs: [input] }: PipelineModel): readonly string[] {
  if (isRelay) return [FAST_CLIP, ...MULTI_CLIPS]
  return input?.type === 'file' ? [...clips, textOf(input.options, 'path')] : [GUEST_CLIP]
}

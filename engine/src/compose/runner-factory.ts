// What makes the pipelines and services of an engine.
import type { NodeSettings, Pipeline } from '../graph/graph.js'
import type { NodePlacement } from '../run/node/node-runner.js'
import type { ServiceRunner } from '../run/node/service-runner.js'
import type { StreamSlot } from '../run/publish/stream-slot.js'
import type { PipelineRunner } from '../run/pipeline/pipeline-runner.js'

export interface RunnerFactory {
  /** Its nodes have not been opened yet. */
  createPipeline(pipeline: Pipeline): PipelineRunner
  /** For one key of a pattern pipeline: its published input reads the slot. */
  createCopy(pipeline: Pipeline, slot: StreamSlot): PipelineRunner
  /** Not opened yet. */
  createService(settings: NodeSettings, placement?: NodePlacement): ServiceRunner
}

// What an operator can do to nodes and ask about them, beyond the status: the shapes of the answers, and the interface that
// the engine implements for the control API.
import { z } from 'zod'
import type { AnyChunk, Json } from '../plugin/contract.js'
import { type EngineStatus, nodeStatusSchema, type PipelineStatus, type StatusSource } from './status.js'

export const NODE_ACTIONS = ['restart', 'enable', 'disable'] as const

export type NodeAction = (typeof NODE_ACTIONS)[number]

export const nodeActionResultSchema = z
  .object({
    action: z.enum(NODE_ACTIONS),
    node: nodeStatusSchema.meta({ description: 'After it' }),
    viewers: z.number().meta({ description: 'Viewers, just before, of the node and of the outputs that it reaches' }),
  })
  .meta({ description: 'What became of a node that was restarted, enabled or disabled' })

export type NodeActionResult = Readonly<z.infer<typeof nodeActionResultSchema>>

const evidenceSchema = z.object({
  node: z.exactOptional(z.string()).meta({ description: 'Id; missing if it is about the engine' }),
  what: z.string(),
})

export const explanationSchema = z
  .object({
    node: z.string(),
    isWell: z.boolean().meta({ description: 'Nothing stands in the way of a picture, as far as the engine knows' }),
    cause: z.string().meta({ description: 'For programs: well, disabled, no-tables, no-key-frame, ...' }),
    at: z.exactOptional(z.string()).meta({ description: 'Id of the node where the cause is' }),
    sentence: z.string(),
    hint: z.exactOptional(z.string()).meta({ description: 'What to do' }),
    evidence: z.array(evidenceSchema).readonly(),
  })
  .meta({ description: 'Why there is no picture, from what the engine knows along the way of the stream' })

export type Explanation = Readonly<z.infer<typeof explanationSchema>>
export type Evidence = Explanation['evidence'][number]

export const nodeOptionsSchema = z
  .object({
    node: z.string(),
    at: z.string().meta({ description: 'file:line:column where it is written' }),
    options: (z.unknown() as z.ZodType<Json>).meta({
      description: 'As its file would have it, defaults written out, secrets masked',
    }),
  })
  .meta({ description: 'The options with which a node runs' })

export type NodeOptions = Readonly<z.infer<typeof nodeOptionsSchema>>

/** Receives what leaves a port. Called in the data path: must be quick, must not throw. */
export interface TapReader {
  take(chunk: AnyChunk): void
  /** The node has left the graph, or its stream has ended. Called at most once. */
  end(): void
}

export interface Operator {
  /** Rejects with an error of `operatorError`, or with that of a failed node that cannot open again. */
  act(node: string, action: NodeAction): Promise<NodeActionResult>
  /** Undefined if there is no such node. */
  explain(node: string): Explanation | undefined
  /** Undefined if there is no such node. */
  options(node: string): NodeOptions | undefined
  /** Reads a port until it is disposed, also across reloads. Throws an error of `operatorError`. */
  tap(node: string, port: string | undefined, reader: TapReader): Disposable
}

/** A pipeline whose status is read when it is called. */
export interface ShownPipeline {
  readonly name: string
  status(): PipelineStatus
}

/** What the API reads, with what it can do to nodes. */
export interface OperatedSource extends StatusSource {
  /** `status` without that of the pipelines. */
  statusBeside(): Omit<EngineStatus, 'pipelines'>
  /** Those of `status`, to be read a few in each turn of the event loop: hundreds of copies take many milliseconds. */
  pipelines(isSummary?: boolean): readonly ShownPipeline[]
  /** By default nothing: an engine sets it before it starts. */
  readonly operator?: Operator | undefined
}

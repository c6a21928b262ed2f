// What the author of a plugin tells the contract kit about a definition.
import type { ContractBench, ContractDeps } from '../contract-bench.js'

type YamlOptions = Readonly<Record<string, unknown>>

/** A running node, as hooks of the settings see it. */
export type RunningNode = Pick<ContractBench, 'clock' | 'context' | 'transport' | 'fakes' | 'node'>

export interface ContractSettings {
  /** Options in YAML form, with which a node opens. By default none. */
  readonly options?: YamlOptions
  /**
   * Other values for options of class `live` (or `rebind`), which a running node takes. By default the kit finds one for
   * each `live` option by its kind. A key with dots is an option in a group.
   */
  readonly live?: YamlOptions
  /** Options that are refused, by the schema or when the node opens. By default none. */
  readonly refused?: readonly YamlOptions[]
  /** Called for each node that is opened. By default every token of the engine has a fake. */
  readonly deps?: ContractDeps
  /** Called with each node when it has opened: what it needs from others before it has work. By default nothing. */
  readonly prepare?: (running: RunningNode) => void
  /** An entry for each command of the definition, at least. By default it has none. */
  readonly commands?: readonly CommandCheck[]
  /** Makes a running node do its work, so that the callbacks that it passes to Node are seen. By default nothing. */
  readonly work?: (running: RunningNode) => Promise<void>
  /**
   * Of an input: makes the running one receive these bytes; resolves when they have been written, or cannot be because it
   * has closed the connection. By default it receives nothing, and most of its stress tests have nothing to do.
   */
  readonly send?: (bytes: Uint8Array, running: RunningNode) => void | Promise<void>
  /** Of an input that has publishers: options in place of `options`, with which it takes them. By default not tested. */
  readonly publishing?: YamlOptions
  /**
   * Options, in addition to `options`, with which its other end accepts everything and never answers, or never reads
   * (`HangingServer`). By default that is not tested.
   */
  readonly hanging?: YamlOptions
  /** Of a transform or an output: how much memory its buffers may take. By default 8 MiB, as much as an edge queues. */
  readonly mostBytes?: number
  /**
   * Of a transform: chunks that it may keep until it has seen what follows. By default none: a chunk leaves it in the call
   * that brings it, or never.
   */
  readonly lookahead?: number
}

/** A command that the kit runs on a node that has opened, and for an input has been subscribed to. */
export interface CommandCheck {
  readonly name: string
  /** By default `{}`. */
  readonly input?: YamlOptions
  /** Inputs that its schema refuses. By default only one with an unknown value. */
  readonly refused?: readonly unknown[]
  /** The code of the error that it throws; by default it throws none. */
  readonly throws?: string
}

/** For a definition of `defineAuth`. */
export type AuthContractSettings = Pick<ContractSettings, 'options' | 'live' | 'refused' | 'deps' | 'hanging'>

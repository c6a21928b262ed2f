// What a suite of the contract kit is made of.
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import type { Definition, Previous } from '../../plugin/contract.js'
import { messageOf } from '../../errors.js'
import { ContractBench } from '../contract-bench.js'
import type { ContractStreams } from '../contract-streams.js'
import type { ContractFakes } from '../contract-fakes.js'
import { ResourceWatch } from '../resource-watch.js'
import { StrayErrors } from '../stray-errors.js'
import type { ContractSettings } from './contract-settings.js'

export interface Subject<D extends AnyDefinition = AnyDefinition> {
  readonly definition: D
  readonly settings: ContractSettings
  /** Of the package of the plugin; undefined if that is not known. */
  readonly folder: string | undefined
  readonly streams: ContractStreams
}

export type NodeSubject = Subject<Definition>

/** What a check runs with. */
export interface Trial<D extends AnyDefinition = Definition> extends Subject<D> {
  /** Sees what the nodes of this check open. */
  readonly watch: ResourceWatch
  /** Errors that nobody has caught so far. */
  readonly stray: StrayErrors
}

/** One rule. `run` rejects with a message that tells the author of the plugin what to change. */
export interface Check<D extends AnyDefinition = Definition> {
  /** A sentence about a plugin that follows the rule. */
  readonly title: string
  /** False where the rule says nothing about this definition. By default it always does. */
  applies?(subject: Subject<D>): boolean
  run(trial: Trial<D>): Promise<void>
}

/** `base`: what it is and does. `close`: how it ends. `stress`: what it survives. */
export interface Suite<D extends AnyDefinition = Definition> {
  readonly base: readonly Check<D>[]
  readonly close: readonly Check<D>[]
  readonly stress: readonly Check<D>[]
}

/** Runs one check. Whatever the node leaves open is closed afterwards, so that the process can end. */
export async function runCheck<D extends AnyDefinition>(check: Check<D>, subject: Subject<D>): Promise<void> {
  using watch = new ResourceWatch(subject.folder)
  using stray = new StrayErrors()
  try {
    await check.run({ ...subject, watch, stray })
  } catch (error) {
    throw ownOf(error)
  } finally {
    await stray.settled()
  }
  const [first] = stray.caught
  if (first === undefined) return
  const why = 'it has thrown where nobody catches it (wrap callbacks in context.guard, and wait for promises)'
  throw new Error(`${why}: ${messageOf(first)}`, { cause: first })
}

/** `await using` reports what went wrong at the disposal: what went wrong before it says more. */
function ownOf(error: unknown): Error {
  const isPair = error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error
  if (isPair) return ownOf(error.suppressed)
  return error instanceof Error ? error : new Error(messageOf(error))
}

export interface OpenSettings {
  /** Checked. By default those of the settings. */
  readonly options?: unknown
  readonly previous?: Previous
  readonly fakes?: ContractFakes
}

/** Opens a node of the definition; by default with the options of the settings. */
export async function openNode(trial: Trial, more: OpenSettings = {}): Promise<ContractBench> {
  const bench = await beginNode(trial, more).opened
  trial.settings.prepare?.(bench)
  return bench
}

export function beginNode(trial: Trial, more: OpenSettings = {}): ReturnType<typeof ContractBench.begin> {
  const { definition, settings, watch } = trial
  const { options = definition.options.parse(settings.options ?? {}) } = more
  const { deps } = settings
  return ContractBench.begin({ definition, watch, ...(deps === undefined ? {} : { deps }), ...more, options })
}

/** Opens it, and for an input subscribes to it and waits until it is ready or over. */
export async function runNode(trial: Trial, more: OpenSettings = {}): Promise<ContractBench> {
  const bench = await openNode(trial, more)
  bench.subscribe()
  await bench.settled()
  return bench
}

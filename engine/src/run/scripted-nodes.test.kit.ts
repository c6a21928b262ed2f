// For tests of hot reload: definitions of scripted nodes, with options named after their reload class.
import { Observable } from 'rxjs'
import { z } from 'zod'
import type { NodeSettings } from '../graph/graph.js'
import type {
  AnyChunk,
  Definition,
  Inlet,
  NodeContext,
  Options,
  Output,
  Previous,
  Source,
  Transform,
} from '../plugin/contract.js'
import { defineInput, defineOutput, defineTransform } from '../plugin/define.js'
import type { Resource } from '../plugin/resource.js'
import type { Secrets } from '../plugin/secrets.js'
import type { Store } from '../plugin/store.js'
import { CLOCK, DELIVERY, SECRETS, STORE } from '../plugin/tokens.js'
import { chunk, PassingTransform, reads, ScriptedSource, settings } from './run.test.kit.js'

const GOP = 5

const NOTHING = new Uint8Array(0)
export const ROUTE = {
  listener: 'web',
  contentType: 'video/mp2t',
  start: 'keyframe',
  burstMs: 0,
  lead: NOTHING,
  window: { durationMs: 10_000, sizeBytes: 1024 * 1024 },
  slow: 'skip',
  stallTimeoutMs: 60_000,
  offline: { waitForMs: 10_000, status: 503, endAfterMs: 60_000 },
  cors: undefined,
  catchUpBytes: 256 * 1024,
} as const

/** The options of every scripted node, named after the reload class of each. */
export interface Mode {
  readonly swap: string
  readonly parting?: string | undefined
  readonly live: string
  /** Of class `rebind`. */
  readonly path: string
}

const options = z.strictObject({
  swap: z.string().default('').meta({ description: 'For tests.', reload: 'swap' }),
  parting: z.string().optional().meta({ description: 'For tests.', reload: 'swap', losesViewers: true }),
  live: z.string().default('').meta({ description: 'For tests.', reload: 'live' }),
  path: z.string().default('').meta({ description: 'For tests.', reload: 'rebind' }),
})
export const common = { options, examples: [], summary: 'For tests.' } as const

export function input(open: (mode: Mode, context: NodeContext) => Source<AnyChunk>): Definition {
  return defineInput({
    ...common,
    type: 'test-in',
    produces: 'ts',
    open: ({ value }, context) => open(value, context),
  })
}

export function transform(
  open: (options$: Options<Mode>, previous: Previous | undefined) => Transform | Promise<Transform>,
  more: { readonly makesStream?: boolean } = {},
): Definition {
  return defineTransform({
    ...more,
    ...common,
    type: 'test-transform',
    consumes: ['ts'],
    inlets: 'one',
    ports: [{ name: 'out', kind: 'ts' }],
    open: (options$, _context, _deps, previous) => open(options$, previous),
  })
}

export function output(
  open: (mode: Mode, context: NodeContext) => Output | Promise<Output>,
  more: { readonly exclusive?: (mode: Mode) => readonly Resource[] } = {},
): Definition {
  return defineOutput({
    ...more,
    ...common,
    type: 'test-out',
    consumes: ['ts'],
    inlets: 'one',
    open: ({ value }, context) => open(value, context),
  })
}

export interface ServingSettings {
  /** The output throws at a chunk for which this is true. */
  readonly isBroken?: (mode: Mode, chunk: AnyChunk) => boolean
  /** Called for each opened node; `fail` makes one of its timers throw in the next turn. */
  readonly onOpen?: (mode: Mode, fail: () => void) => void
  /** It is opened then; its path is claimed before. */
  readonly opened?: () => Promise<void>
  /** Its viewers receive the rest until then. */
  readonly drained?: Promise<void>
}

/** An output that serves viewers at its `path`. */
export function serving(more: ServingSettings = {}): Definition {
  return defineOutput({
    ...common,
    type: 'test-serving',
    consumes: ['ts'],
    inlets: 'one',
    inject: { delivery: DELIVERY, clock: CLOCK },
    exclusive: ({ path }) => (path.includes('${stream}') ? [{ kind: 'http', listener: ROUTE.listener, path }] : []),
    open: async ({ value }, context, { delivery, clock }) => {
      more.onOpen?.(value, () => clock.after(0, throwBroken))
      const route = delivery.open({ ...ROUTE, path: value.path, id: context.id })
      await more.opened?.()
      const join = { keyframe: true, heldBytes: 0, preamble: () => NOTHING, bridge: () => NOTHING }
      return {
        accept: ([inlet]: readonly Inlet[]) =>
          inlet!.chunks.subscribe({
            next: (each) => {
              if (more.isBroken?.(value, each) === true) throwBroken()
              const { bytes, receivedAtMs, randomAccess } = each as AnyChunk & { randomAccess: boolean }
              route.push({ bytes, receivedAtMs, ...(randomAccess ? { join } : {}) })
            },
            complete: () => route.end(),
          }),
        drained: () => more.drained ?? route.drained(),
        [Symbol.asyncDispose]: () => route[Symbol.asyncDispose](),
      }
    },
  })
}

/** A transform that passes every chunk. `use` is what it does when it opens. */
export function keeping(
  use: (store: Store, secrets: Secrets, mode: Mode, context: NodeContext) => Promise<void> | void,
): Definition {
  return defineTransform({
    ...common,
    type: 'test-keeping',
    consumes: ['ts'],
    inlets: 'one',
    ports: [{ name: 'out', kind: 'ts' }],
    inject: { store: STORE, secrets: SECRETS },
    open: async ({ value }, context, { store, secrets }) => {
      await use(store, secrets, value, context)
      return new PassingTransform()
    },
  })
}

function throwBroken(): never {
  throw new Error('broken')
}

/** Passes every chunk, but throws at one that `isBroken` selects. */
export class ThrowingTransform implements Transform {
  readonly #isBroken: (seq: number) => boolean

  constructor(isBroken: (seq: number) => boolean = () => false) {
    this.#isBroken = isBroken
  }

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    const out = new Observable<AnyChunk>((subscriber) =>
      inlet?.chunks.subscribe({
        next: (each) => {
          if (this.#isBroken(each.origin.seq)) throw new Error(`broken at ${each.origin.seq}`)
          subscriber.next(each)
        },
        complete: () => subscriber.complete(),
      }),
    )
    return { out }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

/** An input with one source per value of `swap`, ready once it is connected. */
export class Sources {
  readonly definition: Definition
  readonly #made = new Map<string, ScriptedSource>()

  constructor(more: { readonly canHold?: boolean } = {}) {
    this.definition = input(({ swap }, context) => {
      const source = new ScriptedSource({ ...more, context })
      this.#made.set(swap, source)
      return source
    })
  }

  /** The newest source for that `swap`. */
  of(swap: string): ScriptedSource {
    const source = this.#made.get(swap)
    if (source === undefined) throw new Error(`no source ${swap}`)
    return source
  }

  isConnected(swap: string): boolean {
    return (this.#made.get(swap)?.attempts ?? 0) > 0
  }
}

export interface Wanted extends Partial<Mode> {
  readonly from?: string
  readonly was?: string
}

export function node(id: string, definition: Definition, { from, was, ...mode }: Wanted = {}): NodeSettings {
  return settings(id, definition, {
    ...(from === undefined ? {} : reads(from)),
    ...(was === undefined ? {} : { was }),
    options: { swap: '', live: '', path: '', ...mode },
  })
}

export function mid(definition: Definition, more: Wanted = {}): NodeSettings {
  return node('one/mid', definition, { from: 'one/main', ...more })
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** A random access point at every fifth number. */
export function numbered(seq: number, receivedAtMs: number): AnyChunk {
  return { ...chunk(seq, 100, seq % GOP === 0), receivedAtMs }
}

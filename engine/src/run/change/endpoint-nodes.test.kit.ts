// For tests of paths that move between nodes: an output that serves viewers, an output and a service that answer
// requests, each at the `path` of its options; a path that ends with a slash is a prefix for the latter two.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type Observer, Subscription } from 'rxjs'
import { z } from 'zod'
import type { NodeSettings } from '../../graph/graph.js'
import { RawClient } from '../../listen/loopback.test.kit.js'
import type { AnyChunk, Definition, Inlet, NodeContext, Options } from '../../plugin/contract.js'
import { defineOutput, defineService } from '../../plugin/define.js'
import type { Resource } from '../../plugin/resource.js'
import { CLOCK, DELIVERY, LISTENERS, type Listeners } from '../../plugin/tokens.js'
import { reads, settings } from '../run.test.kit.js'
import { ROUTE } from '../scripted-nodes.test.kit.js'
import type { ReloadHarness } from './reload.test.kit.js'

export interface Place {
  readonly listener: string
  readonly path: string
}

export interface EndpointOptions extends Place {
  /** Of class `swap`; answers carry it as their content type. */
  readonly swap: string
}

const options = z.strictObject({
  swap: z.string().meta({ description: 'For tests.' }),
  listener: z.string().meta({ description: 'For tests.', reload: 'rebind' }),
  path: z.string().meta({ description: 'For tests.', reload: 'rebind' }),
})
const common = { options, examples: [], summary: 'For tests.' } as const
const NOTHING = new Uint8Array(0)

function resourcesOf({ listener, path }: EndpointOptions): readonly Resource[] {
  return [{ kind: 'http', listener, path, prefix: path.endsWith('/') }]
}

/** Mounts at the current path, and moves with it. */
function mountAt(options$: Options<EndpointOptions>, context: NodeContext, listeners: Listeners): AsyncDisposable {
  const { swap } = options$.value
  const mount = ({ listener, path }: EndpointOptions): Disposable =>
    listeners.http(listener).mount({ path, prefix: path.endsWith('/') }, (_request, response) => {
      response.writeHead(200, { 'Content-Type': swap }).end()
    })
  let mounted = mount(options$.value)
  const changes = options$.subscribe((next) => {
    mounted[Symbol.dispose]()
    try {
      mounted = mount(next)
    } catch (error) {
      context.degraded(String(error))
    }
  })
  return {
    [Symbol.asyncDispose]: () => {
      changes.unsubscribe()
      mounted[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

export const page = defineOutput({
  ...common,
  type: 'test-page',
  consumes: ['ts'],
  inlets: 'one',
  inject: { listeners: LISTENERS },
  exclusive: resourcesOf,
  open: (options$, context, { listeners }) => ({
    ...mountAt(options$, context, listeners),
    accept: ([inlet]: readonly Inlet[]) => inlet?.chunks.subscribe() ?? Subscription.EMPTY,
  }),
})

export const pageService = defineService({
  ...common,
  type: 'test-page-service',
  inject: { listeners: LISTENERS },
  exclusive: resourcesOf,
  open: (options$, context, { listeners }) => mountAt(options$, context, listeners),
})

/** Sends the number of each chunk, a line each. `onOpen`: `fail` makes one of its timers throw in the next turn. */
export function liveLines(onOpen: (value: EndpointOptions, fail: () => void) => void = () => undefined): Definition {
  return defineOutput({
    ...common,
    type: 'test-live',
    consumes: ['ts'],
    inlets: 'one',
    inject: { delivery: DELIVERY, clock: CLOCK },
    exclusive: resourcesOf,
    open: (options$, context, { delivery, clock }) => {
      const wanted = (value: EndpointOptions) => ({
        ...ROUTE,
        listener: value.listener,
        path: value.path,
        contentType: value.swap,
        id: context.id,
      })
      onOpen(options$.value, () => {
        clock.after(0, () => {
          throw new Error('broken')
        })
      })
      const route = delivery.open(wanted(options$.value))
      const changes = options$.subscribe((value) => {
        try {
          route.update(wanted(value))
        } catch (error) {
          context.degraded(String(error))
        }
      })
      const join = { keyframe: true, heldBytes: 0, preamble: () => NOTHING, bridge: () => NOTHING }
      const observer: Observer<AnyChunk> = {
        next: (chunk) => {
          const { origin, receivedAtMs, randomAccess } = chunk as AnyChunk & { readonly randomAccess: boolean }
          route.push({ bytes: Buffer.from(`${origin.seq}\n`), receivedAtMs, ...(randomAccess ? { join } : {}) })
        },
        complete: () => route.end(),
        error: () => undefined,
      }
      return {
        accept: ([inlet]: readonly Inlet[]) => inlet?.chunks.subscribe(observer) ?? Subscription.EMPTY,
        drained: () => route.drained(),
        [Symbol.asyncDispose]: async () => {
          changes.unsubscribe()
          await route[Symbol.asyncDispose]()
        },
      }
    },
  })
}

export function endpointNode(
  id: string,
  definition: Definition,
  own: EndpointOptions,
  more: { readonly was?: string } = {},
): NodeSettings {
  const from = definition.kind === 'output' ? reads('one/main') : {}
  return settings(id, definition, { ...from, ...more, options: own })
}

/** The content type with which a path is answered; `404` if no node has it. Waits for a live output's first key frame. */
export async function answerAt(harness: ReloadHarness, place: Place): Promise<string> {
  for (;;) {
    const answer = await ask(addressOf(harness, place.listener), place.path)
    if (answer !== '503') return answer
  }
}

async function ask(address: string, path: string): Promise<string> {
  const [hostname, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method: 'HEAD', agent: false }, (response) => {
      response.resume()
      const { statusCode, headers } = response
      resolve(statusCode === 200 ? String(headers['content-type']) : String(statusCode))
    })
    asked.on('error', reject).end()
  })
}

export function watch(harness: ReloadHarness, { listener, path }: Place): RawClient {
  return new RawClient(addressOf(harness, listener)).get(path)
}

/** Fails unless the viewer has received consecutive numbers so far. */
export function assertUnbroken(viewer: RawClient): void {
  const lines = viewer.body.toString('latin1').split('\n')
  // The last line may not have ended.
  lines.pop()
  const numbers = lines.map(Number)
  for (const [index, number] of numbers.entries()) {
    if (index > 0) assert.equal(number, (numbers[index - 1] ?? 0) + 1, 'a viewer lost or repeated bytes')
  }
}

function addressOf(harness: ReloadHarness, name: string): string {
  const found = harness.engine.status().listeners.find((listener) => listener.name === name)
  assert.ok(found !== undefined, `listener ${name}`)
  return found.address
}

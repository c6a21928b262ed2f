// The listener and inputs of this package between fakes, clients that publish, and an engine that accepts or refuses.
import { isEngineError } from '@millrace/engine/plugin'
import type { Publisher, PublisherRefusal, Received } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestStreamTransport } from '@millrace/engine/testing'
import type { TestConnection } from '@millrace/engine/testing'
import { MediaMessage, MESSAGE, renderAmf0 } from '@millrace/rtmp'
import type { MediaType } from '@millrace/rtmp'
import { duplexPort, RtmpClient } from '@millrace/rtmp/node'
import type { RtmpConnections } from '@millrace/rtmp/node'
import { BehaviorSubject } from 'rxjs'
import { rtmpListenerOptions } from './listener-options.js'
import { RtmpListener } from './rtmp-listener.js'
import { rtmpPublishers } from './rtmp-publishers.js'
import { RtmpStreams } from './rtmp-streams.js'

/** What the engine has taken. */
interface Taken {
  readonly publisher: Publisher
  bytes: number
  ended: string | undefined
  close(): PromiseLike<void>
  pause(): Disposable | undefined
}

type Decision = PublisherRefusal | 'accept' | 'keep'

export class RtmpBench {
  readonly context = new FakeContext('listeners/rtmp')
  readonly clock = new FakeClock()
  readonly transport = new TestStreamTransport()
  readonly listener: RtmpListener
  readonly connections: TestConnection[] = []
  readonly provided$: BehaviorSubject<RtmpConnections | undefined>

  constructor(options: Readonly<Record<string, unknown>> = {}) {
    const parsed = rtmpListenerOptions.parse(options)
    this.listener = new RtmpListener(this.transport, {
      options: () => parsed,
      context: this.context,
      clock: this.clock,
    })
    this.provided$ = new BehaviorSubject<RtmpConnections | undefined>(this.listener)
  }

  /** An input; the engine decides so about what it publishes. */
  input(app = 'live', decide: (publisher: Publisher) => Decision = () => 'accept', idleMs = 600_000) {
    const context = new FakeContext('one/pub')
    const [taken, publishers]: [Taken[], Publisher[]] = [[], []]
    const { clock, provided$ } = this
    const subscription = rtmpPublishers({
      ...{
        listener: 'rtmp',
        app,
        context,
        clock,
        syncMs: () => 2,
        idleMs: () => idleMs,
        streams: new RtmpStreams(context),
      },
      listeners: { of: (_, name) => ({ name, value: provided$.value as never, value$: provided$ as never }) },
    }).subscribe((publisher) => {
      publishers.push(publisher)
      const decision = decide(publisher)
      if (decision === 'accept') taken.push(take(publisher))
      else if (decision !== 'keep') publisher.reject(decision, 'for a test')
    })
    return { context, taken, publishers, subscription }
  }

  /** Publishes at `app/name`. */
  publish(path: string): Promise<RtmpClient> {
    const dial = () => {
      const connection = this.transport.connect()
      this.connections.push(connection)
      return Promise.resolve(duplexPort(connection.client))
    }
    const host = { nowMs: () => this.clock.nowMs(), after: (ms: number, run: () => void) => this.clock.after(ms, run) }
    return RtmpClient.publish(`rtmp://host/${path}`, { dial, host })
  }

  async codeOf(path: string): Promise<string | undefined> {
    const error: unknown = await this.publish(path).catch((reason: unknown) => reason)
    return (error as { code?: string }).code
  }
}

function take(publisher: Publisher): Taken {
  const source = publisher.accept({})
  const taken: Taken = {
    ...{ publisher, bytes: 0, ended: undefined },
    close: () => source[Symbol.asyncDispose](),
    pause: () => source.pause?.(),
  }
  source.chunks.subscribe({
    next: (received: Received) => {
      if (received instanceof Uint8Array) taken.bytes += received.length
    },
    error: (error: unknown) => (taken.ended = isEngineError(error) ? error.code : String(error)),
    complete: () => (taken.ended = 'complete'),
  })
  return taken
}

/** Resolves when the claim holds; it is looked at in each turn of the event loop. */
export async function settle(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`still not true: ${what}`)
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Bodies of a stream with 640 by 360 H.264 and 48 kHz AAC. */
export const BODIES = {
  avcConfig: hex('17 00 000000 01 42c01e ff e1 000a 6742c01ed900a02ff970 01 0004 68ce3c80'),
  key: hex('17 01 000000 00000006 65b840010203'),
  inter: hex('27 01 000000 00000004 419a0102'),
  aacConfig: hex('af 00 1190'),
  emptyAacConfig: hex('af 00'),
  aac: hex('af 01 211004608c1c'),
}

export function metadata(...codecs: readonly ('audiocodecid' | 'videocodecid')[]): Uint8Array {
  const values = Object.fromEntries(codecs.map((name) => [name, name === 'audiocodecid' ? 10 : 7]))
  return renderAmf0(['onMetaData', { duration: 0, ...values }])
}

/** Half a second of it, configurations first. */
export function clip(fromMs = 0): { type: MediaType; timestampMs: number; body: Uint8Array }[] {
  const clipped: { type: MediaType; timestampMs: number; body: Uint8Array }[] = [
    { type: MESSAGE.video, timestampMs: fromMs, body: BODIES.avcConfig },
    { type: MESSAGE.audio, timestampMs: fromMs, body: BODIES.aacConfig },
  ]
  for (let at = 0; at < 13; at++) {
    clipped.push({ type: MESSAGE.video, timestampMs: fromMs + 40 * at, body: at === 0 ? BODIES.key : BODIES.inter })
    clipped.push({ type: MESSAGE.audio, timestampMs: fromMs + 40 * at, body: BODIES.aac })
  }
  return clipped
}

export function send(client: RtmpClient, messages: ReturnType<typeof clip>): void {
  for (const { type, timestampMs, body } of messages) client.send(new MediaMessage(type, 'headers', timestampMs, body))
}

// A transport stream as chunks, and a receiver that keeps what it gets.
import { setTimeout as pause } from 'node:timers/promises'
import assert from 'node:assert/strict'
import type { AnyChunk } from '@millrace/engine/plugin'
import { buildTs, FakeClock } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import type { MediaMessage } from '@millrace/rtmp'
import { FlvStream } from './flv-stream.js'
import type { FlvReceiver } from './flv-stream.js'

type Plan = NonNullable<Parameters<typeof buildTs>[0]>

/** Chunks of about 50 ms. A framer of its own: it begins like another start of the source. */
export function chunksOf(plan: Plan, edit?: (bytes: Uint8Array) => void): AnyChunk[] {
  const { bytes } = buildTs(plan)
  edit?.(bytes)
  const framer = new Framer()
  const step = Math.max(188, Math.floor(bytes.length / ((plan.durationS ?? 1) * 20) / 188) * 188)
  const chunks: AnyChunk[] = []
  for (let at = 0; at < bytes.length; at += step) {
    chunks.push(...framer.push(bytes.subarray(at, at + step), at), ...framer.flush(at))
  }
  return chunks
}

export class HeldMessages implements FlvReceiver {
  readonly messages: MediaMessage[] = []

  /** Of the messages, those that were sent as the past. */
  backlog = 0

  send(message: MediaMessage, isBacklog = false): void {
    this.messages.push(message)
    if (isBacklog) this.backlog++
  }

  /** Type and class of each. */
  get kinds(): string[] {
    return this.messages.map(({ type, class: value }) => `${type} ${value}`)
  }

  stamps(type: number): number[] {
    const media = this.messages.filter((message) => message.type === type && message.class !== 'headers')
    return media.map(({ timestampMs }) => timestampMs)
  }
}

export class StreamBench {
  readonly clock = new FakeClock()
  readonly leftOut: string[] = []
  /** When the source was last lost. */
  lostAtMs = -Infinity
  readonly stream = new FlvStream({
    nowMs: () => this.clock.nowMs(),
    lostAtMs: () => this.lostAtMs,
    leftOut: (kind, codec, reason) => void this.leftOut.push(`${kind} ${codec} ${reason}`),
  })

  /** Each chunk takes 50 ms. */
  play(chunks: readonly AnyChunk[]): void {
    for (const chunk of chunks) {
      this.clock.advance(50)
      this.stream.push(chunk)
    }
  }

  join(): HeldMessages {
    const receiver = new HeldMessages()
    this.stream.add(receiver)
    return receiver
  }
}

export function assertIncreasing(stamps: readonly number[]): void {
  for (let at = 1; at < stamps.length; at++)
    assert.ok(stamps[at]! >= stamps[at - 1]!, `${stamps[at - 1]} ${stamps[at]}`)
}

export async function until(claim: () => boolean, what: () => string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await pause(5)
  }
  assert.fail(what())
}

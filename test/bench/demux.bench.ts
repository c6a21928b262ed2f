// CPU of the demuxer and of the FLV writer behind it, per Gbit of transport stream: chunks of a 4 Mb/s stream of H.264 and
// AAC, 30 MB a round. The framer, whose scan is measured by `parse`, is not part of it.
import { buildTs } from '@millrace/engine/testing'
import type { FrameConsumer } from '@millrace/media/elementary'
import { FlvReader, FlvWriter } from '@millrace/media/flv'
import type { FlvTag } from '@millrace/media/flv'
import { Framer } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { TsDemuxer } from '@millrace/media/mpegts/demux'

const STREAM_BYTES = 30_000_000
const PIECE_BYTES = 25_000
const BYTES_PER_MS = 500
const WARM_UP = 3
const ROUNDS = 9

class Ignoring implements FrameConsumer {
  expected(): void {}
  track(): void {}
  ended(): void {}
  frame(): void {}
  discontinuity(): void {}
  unsupported(): void {}
}

function main(): void {
  const chunks = buildChunks()
  const gbit = (chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) * 8) / 1e9
  const tags = listTags(chunks)
  const runs = {
    demux: () => runDemux(chunks),
    'demux, FLV write': () => runWrite(chunks),
    'FLV read': () => runRead(tags),
  }
  const seconds = new Map<string, number[]>()
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const begin = process.cpuUsage()
      run()
      const { user, system } = process.cpuUsage(begin)
      if (round >= WARM_UP) seconds.set(name, [...(seconds.get(name) ?? []), (user + system) / 1e6 / gbit])
    }
  }
  for (const [name, list] of seconds) console.log(`${name.padEnd(18)}${median(list).toFixed(3)} CPU-s per Gbit`)
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed
  runDemux(chunks)
  const grown = (process.memoryUsage().heapUsed - heap) / 2 ** 20
  console.log(`heap allocated by a demux of ${(gbit * 125).toFixed(0)} MB: ${grown.toFixed(1)} MiB`)
}

function buildChunks(): TsChunk[] {
  const video = { codec: 'h264', gopFrames: 50, bitrate: 3_800_000, bFrames: 2 } as const
  const { bytes } = buildTs({ durationS: STREAM_BYTES / BYTES_PER_MS / 1000, video })
  const framer = new Framer({})
  const chunks: TsChunk[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    chunks.push(...framer.push(bytes.subarray(at, at + PIECE_BYTES), at / BYTES_PER_MS))
    chunks.push(...framer.flush(at / BYTES_PER_MS))
  }
  return chunks
}

function runDemux(chunks: readonly TsChunk[]): void {
  const demuxer = new TsDemuxer()
  demuxer.attach(new Ignoring())
  for (const chunk of chunks) demuxer.push(chunk)
}

function runWrite(chunks: readonly TsChunk[], tag: (tag: FlvTag) => void = () => undefined): void {
  const demuxer = new TsDemuxer()
  const writer = new FlvWriter({ tag, leftOut: () => undefined })
  demuxer.attach(writer)
  for (const chunk of chunks) demuxer.push(chunk)
  writer.flush()
}

type StoredTag = readonly [type: number, timestampMs: number, body: Uint8Array]

function listTags(chunks: readonly TsChunk[]): StoredTag[] {
  const tags: StoredTag[] = []
  runWrite(chunks, ({ type, timestampMs, bytes, start, end }) =>
    tags.push([type, timestampMs, bytes.slice(start, end)]),
  )
  return tags
}

function runRead(tags: readonly StoredTag[]): void {
  const reader = new FlvReader(new Ignoring())
  for (const [type, timestampMs, body] of tags) reader.push(type, timestampMs, body)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

main()

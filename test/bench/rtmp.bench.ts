// CPU of RTMP in, per Gbit on the wire: a stream of 4 Mb/s of H.264 and AAC in chunks of 4096 bytes, read by a server session
// and muxed to a transport stream; and of RTMP out: the same messages to 200 players with shared chunks. Without sockets.
import type { Frame, FrameConsumer, Track } from '@millrace/media/elementary'
import { FlvReader } from '@millrace/media/flv'
import { TsMuxer } from '@millrace/media/mpegts'
import { MediaMessage, MESSAGE, renderAmf0, renderChunks, ServerSession } from '@millrace/rtmp'
import type { PlayerHandle } from '@millrace/rtmp'
import { listMessages } from './load/flv-messages.js'

const STREAM_BYTES = 30_000_000
const BYTES_PER_MS = 500
const CHUNK_BYTES = 4096
const READ_BYTES = 65_536
const PLAYERS = 200
const WARM_UP = 2
const ROUNDS = 7

function main(): void {
  const tags = listMessages(STREAM_BYTES / BYTES_PER_MS / 1000, 3_800_000)
  const wire = Buffer.concat([...greeting('publish'), ...tags.map((tag) => chunksOf(tag))])
  const gbit = (wire.length * 8) / 1e9
  measure('publish, to packets', gbit, () => readWire(wire))
  measure(`play, ${PLAYERS} players`, gbit * PLAYERS, () => play(tags))
}

function measure(name: string, gbit: number, run: () => void): void {
  const seconds: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const begin = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(begin)
    if (round >= WARM_UP) seconds.push((user + system) / 1e6 / gbit)
  }
  const median = seconds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
  console.log(`${name.padEnd(22)}${median.toFixed(3)} CPU-s per Gbit`)
}

function greeting(mode: 'publish' | 'play'): Uint8Array[] {
  const command = (messageStreamId: number, ...values: Parameters<typeof renderAmf0>[0]): Uint8Array => {
    const header = { type: MESSAGE.command, chunkStreamId: 3, timestampMs: 0 }
    return renderChunks({ ...header, messageStreamId, body: renderAmf0(values) }, 128)
  }
  const size = { type: MESSAGE.setChunkSize, chunkStreamId: 2, messageStreamId: 0, timestampMs: 0 }
  return [
    ...[Uint8Array.of(3), new Uint8Array(3072)],
    ...[
      command(0, 'connect', 1, { app: 'live' }),
      command(0, 'createStream', 2, null),
      command(1, mode, 3, null, 'cam'),
    ],
    renderChunks({ ...size, body: Uint8Array.of(0, 0, CHUNK_BYTES >> 8, 0) }, 128),
  ]
}

function chunksOf({ type, timestampMs, body }: MediaMessage): Uint8Array {
  const chunkStreamId = type === MESSAGE.audio ? 4 : 6
  return renderChunks({ type, chunkStreamId, messageStreamId: 1, timestampMs, body }, CHUNK_BYTES)
}

class Muxing implements FrameConsumer {
  bytes = 0
  readonly #muxer = new TsMuxer({ consume: (_, length) => (this.bytes += length) })
  expected(): void {}
  track(track: Track): void {
    this.#muxer.setTrack(track)
  }
  ended(): void {}
  frame(frame: Frame): void {
    this.#muxer.push(frame)
  }
  discontinuity(): void {}
  unsupported(): void {}
}

function readWire(wire: Uint8Array): void {
  const muxing = new Muxing()
  const reader = new FlvReader(muxing)
  const session = new ServerSession(
    {
      transmit: () => true,
      play: () => undefined,
      ended: ({ detail }) => console.log('ended', detail),
      publish: (request) => {
        request.accept({ media: (type, ms, body) => reader.push(type, ms, body), ended: () => undefined }, 0)
      },
    },
    {},
    0,
  )
  for (let at = 0; at < wire.length; at += READ_BYTES) session.receive(wire.subarray(at, at + READ_BYTES), 0)
  if (muxing.bytes < wire.length) throw new Error('the stream is not whole')
}

function play(tags: readonly MediaMessage[]): void {
  let sent = 0
  const players: PlayerHandle[] = []
  for (let count = 0; count < PLAYERS; count++) {
    const session = new ServerSession(
      {
        transmit: (bytes) => {
          sent += bytes.length
          return true
        },
        publish: () => undefined,
        play: (request) => players.push(request.accept({ ended: () => undefined }, 0)!),
        ended: () => undefined,
      },
      {},
      0,
    )
    session.receive(Buffer.concat(greeting('play')), 0)
  }
  for (const { type, timestampMs, body } of tags) {
    const message = new MediaMessage(type as 8 | 9 | 18, 'headers', timestampMs, body)
    for (const player of players) player.send(message, 0)
  }
  if (sent < PLAYERS * STREAM_BYTES * 0.8) throw new Error('the stream is not whole')
}

main()

// The input of nodes in the contract kit: a stream in chunks, and the same stream with every fault of the builder.
import { Framer, SpliceTracker } from '@millrace/media/mpegts'
import type { Gop, GopChunk, TsChunk } from '@millrace/media/mpegts'
import type { AnyChunk, ChunkKind } from '../plugin/contract.js'
import { buildTs } from './ts-builder/build-ts.js'
import {
  breakCrc,
  breakSyncByte,
  cutMidPacket,
  dropPackets,
  duplicatePackets,
  junkBetween,
  renumberCounter,
  scramble,
  setTei,
} from './ts-builder/faults.js'

/** Bytes pushed at a time: 20 packets every 50 ms. */
const PIECE_BYTES = 20 * 188
const PIECE_MS = 50
/** Longer than the clean stream. */
const ROUND_MS = 4000

/** Built once for all checks of a definition; each call returns chunks with memory of their own. */
export class ContractStreams {
  readonly #clean = new Map<ChunkKind, readonly AnyChunk[]>()
  readonly #damaged = new Map<ChunkKind, readonly AnyChunk[]>()

  /** Three seconds of H.264 and AAC with a key frame twice a second, in chunks of that kind. */
  clean(kind: ChunkKind): AnyChunk[] {
    return copied(this.#clean, kind, cleanChunks)
  }

  /** The same with faults of every kind, a gap, a new source, and a chunk without packets. */
  damaged(kind: ChunkKind): AnyChunk[] {
    return copied(this.#damaged, kind, damagedChunks)
  }

  /** The bytes of the clean stream. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.clean('ts').map(({ bytes }) => bytes))
  }

  /** Clean chunks, one generation after another, until they have this many bytes. */
  *repeated(kind: ChunkKind, sizeBytes: number): Generator<AnyChunk> {
    const { length } = this.clean(kind)
    for (let [bytes, round] = [0, 0]; bytes < sizeBytes; round++) {
      for (const [index, chunk] of this.clean(kind).entries()) {
        const { origin, receivedAtMs, discontinuity } = chunk
        bytes += chunk.bytes.length
        yield {
          ...chunk,
          origin: { generation: origin.generation + round, seq: origin.seq + round * length },
          receivedAtMs: receivedAtMs + round * ROUND_MS,
          discontinuity: index === 0 ? 'source' : discontinuity,
        }
      }
    }
  }
}

function copied(
  known: Map<ChunkKind, readonly AnyChunk[]>,
  kind: ChunkKind,
  build: (kind: ChunkKind) => readonly AnyChunk[],
): AnyChunk[] {
  const chunks = known.get(kind) ?? build(kind)
  known.set(kind, chunks)
  // Pieces of one chunk share their origin, and no other stream has it.
  const origins = new Map(chunks.map(({ origin }) => [origin, { ...origin }]))
  return chunks.map((chunk) => ({
    ...chunk,
    bytes: new Uint8Array(chunk.bytes),
    marks: new Int32Array(chunk.marks),
    origin: origins.get(chunk.origin) ?? chunk.origin,
  }))
}

function cleanChunks(kind: ChunkKind): AnyChunk[] {
  return inKind(framed(buildTs({ durationS: 3, video: { gopFrames: 12 } }).bytes), kind)
}

function damagedChunks(kind: ChunkKind): AnyChunk[] {
  const faults = [breakCrc, breakSyncByte, cutMidPacket, dropPackets, duplicatePackets, junkBetween, renumberCounter]
  const { bytes } = buildTs({ durationS: 1, video: { gopFrames: 12 } })
  const damaged = [...faults, scramble, setTei].map((damage) => damage(bytes, { every: 5, skip: 1 }).bytes)
  const noise = Uint8Array.from({ length: 400 * 188 }, (_, at) =>
    at % 188 === 0 ? 0x47 : (at * 97 + (at >> 7)) & 0xff,
  )
  const chunks = framed(Buffer.concat([...damaged, noise])).map((chunk, index): TsChunk =>
    index % 23 === 22 ? { ...chunk, discontinuity: index % 2 === 0 ? 'lost' : 'source' } : chunk,
  )
  const [first] = chunks
  const empty = first === undefined ? [] : [{ ...first, bytes: new Uint8Array(0), marks: new Int32Array(0) }]
  return inKind([...chunks, ...empty], kind)
}

function framed(bytes: Uint8Array): TsChunk[] {
  const framer = new Framer()
  const chunks: TsChunk[] = []
  let nowMs = 0
  for (let at = 0; at < bytes.length; at += PIECE_BYTES, nowMs += PIECE_MS) {
    chunks.push(...framer.push(bytes.subarray(at, at + PIECE_BYTES), nowMs), ...framer.flush(nowMs))
  }
  return [...chunks, ...framer.finish(nowMs)]
}

function inKind(chunks: readonly TsChunk[], kind: ChunkKind): AnyChunk[] {
  return kind === 'ts' ? [...chunks] : grouped(chunks)
}

/** As a GOP cutter does, without information about tracks. */
function grouped(chunks: readonly TsChunk[]): GopChunk[] {
  const splice = new SpliceTracker()
  let gop: Gop | undefined
  return chunks.flatMap(({ randomAccess, ...chunk }) => {
    if (randomAccess) {
      const id = gop === undefined ? 0 : gop.id + 1
      gop = { id, psi: splice.preamble(), tracks: [], startPts90k: -1, discontinuity: chunk.discontinuity !== false }
    }
    splice.follow(chunk)
    return gop === undefined ? [] : [{ ...chunk, kind: 'gop' as const, gop, first: randomAccess }]
  })
}

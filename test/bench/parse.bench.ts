// How much faster a single scan is than an object per packet: passes the same 30 MB of a 4 Mb/s stream in pieces of 64
// KiB through a naive parser, the scan (continuity, sections, random access, marks), the framer, which also finds sync and
// copies every packet into a chunk, and the framer with a timeline behind it; in turn, so all see the same machine state. As with a socket, each piece
// is copied into a buffer of 64 KiB right before it is parsed; only the parsing is timed. Prints medians of ratios;
// judges nothing.
import { buildTs } from '@millrace/engine/testing'
import { Framer, Remarker, Timeline } from '@millrace/media/mpegts'
import { NaiveParser } from './naive-parser.js'

const STREAM_BYTES = 30 * 1000 * 1000
/** Whole packets, just under 64 KiB. */
const PIECE_BYTES = 348 * 188
const ROUNDS = 15
const WARM_UP = 3
const NAMES = ['naive', 'scan', 'framer', 'timeline'] as const
/** Rate at which the clock passed to the framer advances: 4 Mb/s. */
const BYTES_PER_MS = 500

interface Run {
  readonly seconds: number
  /** What was found, so that no work can be optimised away. */
  readonly found: number
}

function main(): void {
  const pieces = cutPieces(buildStream())
  const parsers = { naive: runNaive, scan: runScan, framer: runFramer, timeline: runTimeline }
  const seconds: Record<keyof typeof parsers, number[]> = { naive: [], scan: [], framer: [], timeline: [] }
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const name of NAMES) {
      const run = parsers[name](pieces)
      if (round >= WARM_UP) seconds[name].push(run.seconds)
    }
  }
  const packets = STREAM_BYTES / 188
  for (const name of NAMES) {
    const ratios = seconds.naive.map((naive, round) => naive / seconds[name][round]!)
    const ns = ((median(seconds[name]) / packets) * 1e9).toFixed(0).padStart(5)
    console.log(`${name.padEnd(8)}${ns} ns per packet   ${median(ratios).toFixed(1).padStart(5)} x naive`)
  }
  console.log(`medians of ${ROUNDS} interleaved runs, 30 MB in pieces of 64 KiB`)
}

/** One clock: a timeline changes nothing. */
function buildStream(): Uint8Array {
  const video = { codec: 'h264', gopFrames: 50, bitrate: 3_800_000 } as const
  const { bytes } = buildTs({ durationS: STREAM_BYTES / BYTES_PER_MS / 1000 + 10, video })
  return bytes.subarray(0, STREAM_BYTES - (STREAM_BYTES % 188))
}

function cutPieces(stream: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += PIECE_BYTES) pieces.push(stream.subarray(at, at + PIECE_BYTES))
  return pieces
}

/** Passes each piece to `parse` in the same buffer as the previous one; adds up the parsing time. */
function timed(pieces: readonly Uint8Array[], parse: (piece: Buffer, at: number) => number): Run {
  const read = Buffer.alloc(PIECE_BYTES)
  let found = 0
  let ms = 0
  for (const [index, piece] of pieces.entries()) {
    read.set(piece)
    const begin = performance.now()
    found += parse(read.subarray(0, piece.length), index)
    ms += performance.now() - begin
  }
  return { seconds: ms / 1000, found }
}

function runNaive(pieces: readonly Uint8Array[]): Run {
  const parser = new NaiveParser()
  return timed(pieces, (piece) => {
    let found = 0
    for (const packet of parser.push(piece)) {
      if (packet.payloadUnitStartIndicator || packet.adaptationField?.pcr !== undefined) found++
    }
    return found
  })
}

function runScan(pieces: readonly Uint8Array[]): Run {
  const remarker = new Remarker()
  return timed(pieces, (piece) => remarker.remark(piece).length)
}

function runFramer(pieces: readonly Uint8Array[]): Run {
  const framer = new Framer({})
  return timed(pieces, (piece, index) => framer.push(piece, (index * PIECE_BYTES) / BYTES_PER_MS).length)
}

function runTimeline(pieces: readonly Uint8Array[]): Run {
  const framer = new Framer({})
  const timeline = new Timeline()
  return timed(pieces, (piece, index) => {
    let found = 0
    for (const chunk of framer.push(piece, (index * PIECE_BYTES) / BYTES_PER_MS)) found += timeline.push(chunk).length
    return found
  })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

main()

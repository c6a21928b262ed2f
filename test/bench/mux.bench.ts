// CPU of the muxer: 60 s of H.264 at 5 Mb/s, 25 pictures a second, and AAC at 128 kb/s, as frames that are used again.
// Prints CPU seconds per Gbit of transport stream, the median of the rounds, and fails above the budget.
import type { Frame, Track } from '@millrace/media/elementary'
import { TsMuxer } from '@millrace/media/mpegts'
import { median } from './measure/median.js'

const ROUNDS = 15
const WARM_UP = 3
const SECONDS = 60
const BUDGET = 0.1
const VIDEO: Track = { id: 1, kind: 'video', codec: 'h264', config: new Uint8Array(0) }
const AUDIO: Track = { id: 2, kind: 'audio', codec: 'aac', config: Uint8Array.of(0x11, 0x90) }
const PICTURE_BYTES = 25_000
const SLICES = 4

function main(): void {
  const seconds: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const { cpu, bytes } = run()
    if (round >= WARM_UP) seconds.push((cpu / (bytes * 8)) * 1e9)
  }
  const figure = median(seconds)
  console.log(`muxer  ${figure.toFixed(3)} CPU-s per Gbit   (budget ${BUDGET}, median of ${ROUNDS} rounds)`)
  if (figure > BUDGET) process.exitCode = 1
}

function run(): { readonly cpu: number; readonly bytes: number } {
  let bytes = 0
  const muxer = new TsMuxer({ consume: (_, length) => (bytes += length) })
  const picture = makeFrame(VIDEO, new Uint8Array(PICTURE_BYTES).fill(0x88), SLICES)
  const sound = makeFrame(AUDIO, new Uint8Array(341).fill(3), 1)
  const before = process.cpuUsage()
  let audio = 0
  for (let video = 0; video < SECONDS * 25; video++) {
    for (; audio * 1920 < video * 3600; audio++) {
      sound.pts90k = audio * 1920
      sound.dts90k = sound.pts90k
      muxer.push(sound)
    }
    picture.pts90k = video * 3600
    picture.dts90k = picture.pts90k
    picture.isRandomAccess = video % 50 === 0
    muxer.push(picture)
  }
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / 1e6, bytes }
}

function makeFrame(track: Track, bytes: Uint8Array, count: number): Frame {
  const units = new Int32Array(2 * count)
  for (let at = 0; at < count; at++) {
    units[2 * at] = (at * bytes.length) / count
    units[2 * at + 1] = ((at + 1) * bytes.length) / count
    bytes[units[2 * at]!] = 0x41
  }
  return { track, bytes, units, unitCount: count, pts90k: 0, dts90k: 0, isRandomAccess: false, isDisposable: false }
}

main()

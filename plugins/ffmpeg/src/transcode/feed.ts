// What ffmpeg reads: one program on fixed PIDs, with tables of ours in front of each key frame, whatever the PIDs and tables
// of the source are and become. Payload and times are those of the source.
import {
  hasPayload,
  isUnitStart,
  packetise,
  PACKET_SIZE,
  PID_COUNT,
  readCounter,
  readPid,
  renderPat,
  renderPmt,
  writeCounter,
} from '@millrace/media/mpegts'
import type { FeedPlan, FeedTrack } from './feed-plan.js'

const PROGRAM = 1
const PMT_PID = 0x1000
export const FEED_VIDEO_PID = 0x100
/** Of the first slot; the others follow. */
export const FEED_AUDIO_PID = 0x110
/** Where the source has its clock on a PID of its own. */
const FEED_PCR_PID = 0x1f0

const UNUSED = 0

export class Feed {
  /** By PID of the source, the PID that ffmpeg sees. */
  readonly #pids = new Uint16Array(PID_COUNT)
  /** By PID that ffmpeg sees, what is added to counters. */
  readonly #shifts = new Uint8Array(PID_COUNT)
  readonly #counters = new Uint8Array(PID_COUNT)
  /** 1: packets are dropped until a unit begins. */
  readonly #isWaiting = new Uint8Array(PID_COUNT)
  #pat: Uint8Array = new Uint8Array(0)
  #pmt: Uint8Array = new Uint8Array(0)
  #pcrPid = -1
  #tables = 0

  constructor(plan: FeedPlan) {
    this.follow(plan)
  }

  /** Other PIDs of the same tracks. What follows begins with new units. */
  follow({ video, audio, pcrPid }: FeedPlan): void {
    this.#pids.fill(UNUSED)
    this.#pids[pcrPid] = FEED_PCR_PID
    if (video !== undefined) this.#pids[video.pid] = FEED_VIDEO_PID
    for (const { pid, slot } of audio) this.#pids[pid] = FEED_AUDIO_PID + slot
    this.#pcrPid = this.#pids[pcrPid] ?? FEED_PCR_PID
    const streamOf = ({ streamType, descriptors }: FeedTrack, pid: number) => ({ pid, streamType, descriptors })
    const table = { version: 0, current: true, descriptors: new Uint8Array(0) }
    const streams = [
      ...(video === undefined ? [] : [streamOf(video, FEED_VIDEO_PID)]),
      ...audio.map((track) => streamOf(track, FEED_AUDIO_PID + track.slot)),
    ]
    const pat = {
      ...table,
      transportStreamId: 1,
      programs: [{ program: PROGRAM, pmtPid: PMT_PID }],
      networkPid: undefined,
    }
    this.#pat = renderPat({ ...pat, sectionNumber: 0, lastSectionNumber: 0 })
    this.#pmt = renderPmt({ ...table, program: PROGRAM, pcrPid: this.#pcrPid, streams })
    this.break()
  }

  /** What follows does not continue what came before. */
  break(): void {
    this.#isWaiting.fill(1)
  }

  /** PAT and PMT. */
  tables(): Uint8Array {
    const counter = this.#tables++ & 15
    const [pat, pmt] = [packetise(this.#pat, 0, counter), packetise(this.#pmt, PMT_PID, counter)]
    const both = new Uint8Array(pat.length + pmt.length)
    both.set(pat)
    both.set(pmt, pat.length)
    return both
  }

  /** The packets of the chosen tracks: a copy. */
  take(bytes: Uint8Array): Uint8Array {
    const out = bytes.slice()
    let length = 0
    for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
      const pid = this.#pids[readPid(bytes, at)]!
      if (pid === UNUSED || !this.#begins(bytes, at, pid)) continue
      if (length !== at) out.copyWithin(length, at, at + PACKET_SIZE)
      const counter = (readCounter(bytes, at) + this.#shifts[pid]!) & 15
      out[length + 1] = (out[length + 1]! & 0xe0) | (pid >>> 8)
      out[length + 2] = pid & 0xff
      writeCounter(out, length, counter)
      this.#counters[pid] = counter
      length += PACKET_SIZE
    }
    return out.subarray(0, length)
  }

  /** Of a PID that waits: whether this packet goes on it. Its counter follows the last one. */
  #begins(bytes: Uint8Array, at: number, pid: number): boolean {
    if (this.#isWaiting[pid] === 0) return true
    const carries = hasPayload(bytes, at)
    // Clock references come first in many streams, in packets of their own.
    if (carries && !isUnitStart(bytes, at)) return false
    if (carries || pid === FEED_PCR_PID) this.#isWaiting[pid] = 0
    this.#shifts[pid] = (this.#counters[pid]! + (carries ? 1 : 0) - readCounter(bytes, at)) & 15
    return true
  }
}

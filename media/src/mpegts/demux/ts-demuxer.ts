// Chunks of transport stream in, tracks and frames out: one program, its audio and video. One demuxer serves all who need
// the frames of a stream.
import type { FrameConsumer, ReadCounters, Track } from '../../elementary/index.js'
import { AdtsSyntax } from '../../aac/adts-syntax.js'
import { LatmSyntax } from '../../aac/latm-syntax.js'
import { Ac3Syntax } from '../../audio/ac3-syntax.js'
import type { AudioSyntax } from '../../audio/audio-syntax.js'
import { MpegAudioSyntax } from '../../audio/mpeg-audio-syntax.js'
import { parseOpusDescriptor } from '../../audio/opus-descriptor.js'
import { OpusSyntax } from '../../audio/opus-syntax.js'
import type { Chunk, DecoderHead, GopChunk, Track as TsTrack } from '../chunk.js'
import { PACKET_SIZE, PID_COUNT, readPid } from '../packet.js'
import { parsePmt } from '../pmt.js'
import { ProgramTable, TABLE_PMT } from '../program-table.js'
import { readTableIdExtension } from '../section-header.js'
import type { Program } from '../program-table.js'
import { AudioReader } from './audio-reader.js'
import { DemuxClock } from './demux-clock.js'
import type { ElementaryReader } from './elementary-reader.js'
import { FanOut } from './fan-out.js'
import { PidReader } from './pid-reader.js'
import type { PacketCounters } from './pid-reader.js'
import { H264, H265 } from './video-config.js'
import { VideoReader } from './video-reader.js'

const DEFAULT_MAX_UNIT_BYTES = 4 * 1024 * 1024
const DEFAULT_MAX_TRACKS = 16
const NO_BYTES = new Uint8Array(0)

export interface TsDemuxerOptions {
  /** program_number; by default the one that leads (see `Chunk.lead`), or the first of the PAT. */
  readonly program?: number
  /** A larger access unit is dropped; by default 4 MiB. So much memory may each video track take. */
  readonly maxUnitBytes?: number
  /** Further ones are ignored; by default 16. */
  readonly maxTracks?: number
}

export interface DemuxCounters extends ReadCounters, PacketCounters {}

interface Slot {
  readonly track: TsTrack
  readonly packets: PidReader
  readonly reader: ElementaryReader
}

export class TsDemuxer {
  readonly counters: DemuxCounters = {
    frames: 0,
    damaged: 0,
    tooLarge: 0,
    unconfigured: 0,
    continuityErrors: 0,
    brokenPes: 0,
  }
  readonly #options: TsDemuxerOptions
  readonly #table = new ProgramTable()
  readonly #out = new FanOut()
  readonly #slots = new Map<number, Slot>()
  /** The same by PID, for the loop over packets. */
  readonly #byPid: (PidReader | undefined)[] = Array.from({ length: PID_COUNT }, () => undefined)
  readonly #clock = new DemuxClock()
  #program: number | undefined
  #changes = 0
  #head: DecoderHead | undefined
  #hasStarted = false
  /** Of the last chunk, see `Origin`. */
  #generation = 0

  constructor(options: TsDemuxerOptions = {}) {
    this.#options = options
    this.#program = options.program
  }

  /** As far as they are known: those whose configuration has been seen. */
  get tracks(): readonly Track[] {
    return [...this.#out.tracks.values()]
  }

  /** Adds a reader, which is told the tracks there are; returns what removes it. */
  attach(consumer: FrameConsumer): () => void {
    return this.#out.attach(consumer)
  }

  /** Takes the next chunk of an edge. */
  push(chunk: Chunk): void {
    const { generation } = chunk.origin
    // `marked` may stand instead of `source`: units of another generation end nothing that is open.
    const isOther = chunk.discontinuity === 'marked' && generation !== this.#generation
    if (chunk.discontinuity !== false && this.#hasStarted) this.#break(isOther ? 'source' : chunk.discontinuity)
    this.#generation = generation
    // Parameter sets that are not sent again, for whoever starts here.
    const isStart = !this.#hasStarted || chunk.discontinuity !== false
    this.#head = isStart ? chunk.head : undefined
    this.#hasStarted = true
    if (this.#options.program === undefined && chunk.lead !== undefined && chunk.lead.program !== this.#program) {
      this.#program = chunk.lead.program
      this.#select()
    }
    if (!this.#table.hasPat && isGop(chunk)) this.#packets(chunk.gop.psi)
    if (this.#head !== undefined) this.#learn(this.#head.pid)
    this.#packets(chunk.bytes)
  }

  /** The stream has ended: what is open is complete. */
  flush(): void {
    for (const { packets } of this.#slots.values()) packets.reset(true)
  }

  #break(how: Exclude<Chunk['discontinuity'], false>): void {
    for (const { packets, track } of this.#slots.values()) {
      // Nothing is missing, and the chunk begins with a unit of the video, not of the sound.
      if (how === 'marked' && track.media === 'audio') packets.mayJump()
      else packets.reset(how !== 'lost')
    }
    this.#table.reset()
    this.#out.discontinuity()
  }

  /** The one loop over packets. */
  #packets(bytes: Uint8Array): void {
    const { isSectionPid } = this.#table
    const byPid = this.#byPid
    for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
      const pid = readPid(bytes, at)
      const reader = byPid[pid]
      if (reader !== undefined) reader.push(bytes, at)
      else if (isSectionPid[pid] === 1) {
        this.#table.packet(bytes, at)
        if (this.#table.changes !== this.#changes) this.#select()
      }
    }
  }

  /** Follows the tables in force. */
  #select(): void {
    this.#changes = this.#table.changes
    const program = this.#table.select(this.#program)
    if (program === undefined) return
    const kept = new Set<number>()
    for (const track of program.tracks) {
      if (track.media === 'data' || this.#table.isSectionPid[track.pid] === 1) continue
      const known = this.#slots.get(track.pid)
      if (known === undefined || known.track.codec !== track.codec) {
        if (known !== undefined) this.#remove(known)
        this.#add(track, program)
      }
      kept.add(track.pid)
    }
    for (const slot of this.#slots.values()) if (!kept.has(slot.track.pid)) this.#remove(slot)
  }

  #add(track: TsTrack, program: Program): void {
    if (this.#slots.size >= (this.#options.maxTracks ?? DEFAULT_MAX_TRACKS)) return
    const reader = this.#readerOf(track, program)
    const kind = track.media === 'video' ? 'video' : 'audio'
    if (reader === undefined) return this.#out.unsupported(kind, track.codec)
    this.#out.expected(kind)
    const slot = { track, reader, packets: new PidReader(reader, this.counters) }
    this.#slots.set(track.pid, slot)
    this.#byPid[track.pid] = slot.packets
    this.#learn(track.pid)
  }

  #remove({ track: { pid }, packets }: Slot): void {
    packets.reset(true)
    this.#slots.delete(pid)
    this.#byPid[pid] = undefined
    const track = this.#out.tracks.get(pid)
    if (track !== undefined) this.#out.ended(track)
  }

  #readerOf(track: TsTrack, program: Program): ElementaryReader | undefined {
    const identity = { id: track.pid, ...(track.language === '' ? {} : { language: track.language }) }
    const video = track.codec === 'h264' ? H264 : track.codec === 'h265' ? H265 : undefined
    if (video !== undefined) {
      const max = this.#options.maxUnitBytes ?? DEFAULT_MAX_UNIT_BYTES
      return new VideoReader(video, identity, this.#clock, this.#out, this.counters, max)
    }
    const syntax = this.#syntaxOf(track, program)
    return syntax && new AudioReader(syntax, identity, this.#clock, this.#out, this.counters)
  }

  #syntaxOf(track: TsTrack, program: Program): AudioSyntax | undefined {
    switch (track.codec) {
      case 'aac':
        return new AdtsSyntax()
      case 'aac-latm':
        return new LatmSyntax()
      case 'mp2':
        return new MpegAudioSyntax()
      case 'ac3':
      case 'eac3':
        return new Ac3Syntax(track.codec)
      case 'opus':
        return new OpusSyntax(parseOpusDescriptor(this.#descriptorsOf(track.pid, program)).channels ?? 2)
      default:
        return undefined
    }
  }

  #descriptorsOf(pid: number, program: Program): Uint8Array {
    for (const { pid: tablePid, bytes } of this.#table.sections.values()) {
      const isTable = tablePid === program.pmtPid && bytes[0] === TABLE_PMT
      if (!isTable || readTableIdExtension(bytes) !== program.program) continue
      const stream = parsePmt(bytes, bytes.length)?.streams.find((other) => other.pid === pid)
      if (stream !== undefined) return stream.descriptors
    }
    return NO_BYTES
  }

  #learn(pid: number): void {
    const reader = this.#slots.get(pid)?.reader
    if (this.#head?.pid === pid && reader instanceof VideoReader) reader.learn(this.#head.elementary)
  }
}

function isGop(chunk: Chunk): chunk is GopChunk {
  return 'gop' in chunk
}

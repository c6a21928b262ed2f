// Frames of elementary streams to a transport stream, ISO/IEC 13818-1, with constant small latency: a frame in, its packets
// out. One program: PMT on 0x1000, video on 0x100 to 0x10f, audio on 0x110 to 0x11f.
import type { Frame } from '../../elementary/frame.js'
import type { Track } from '../../elementary/track.js'
import { DISCONTINUITY_FLAG, NULL_PID, RANDOM_ACCESS_FLAG } from '../packet.js'
import type { Ac3Standard } from './audio-format.js'
import { Cadence } from './cadence.js'
import { ClockWatch } from './clock-watch.js'
import { audioStreamId, isSameTrack, pmtStreamOf } from './mux-track.js'
import type { AudioTrack, MuxTrack, VideoTrack } from './mux-track.js'
import { PacketWriter } from './packet-writer.js'
import type { PacketConsumer } from './packet-writer.js'
import { MAX_PES_HEADER, MAX_PES_PAYLOAD, writePesHeader } from './pes-header.js'
import { ProgramTables } from './program-tables.js'
import type { Service } from './program-tables.js'
import { TrackList } from './track-list.js'
import type { TrackRefusal } from './track-list.js'

const PMT_PID = 0x1000
const DEFAULT_DELAY_MS = 400
const DEFAULT_SYNC_MS = 1
/** So that the PCR of a stream that begins at 0 is not negative. */
const DEFAULT_OFFSET_90K = 126_000
/** Without video, a PES packet of audio lasts this long: as one frame each, half of it would be stuffing. */
const AUDIO_ONLY_PES_MS = 80
const MAX_AUDIO_PES_MS = 100
const MAX_FRAME_BYTES = 16 * 2 ** 20
const NO_PCR = -1
/** For each PCR within it, a picture has at least so many bytes. */
const BYTES_A_PCR = 16 * 1024

export interface TsMuxerOptions {
  /** Receives the packets of each frame, several times for a large one. */
  readonly consume: PacketConsumer
  /** The clock of the frames jumps: the frame that follows belongs to another generation. Called before it is written. */
  readonly onJump?: (jump90k: number, generation: number) => void
  /** From each PCR to the decoding times next to it; 400. Audio and video may arrive this far out of step. */
  readonly pcrDelayMs?: number
  /** How far stamps of audio may be from the count of samples before they put it right; 1. */
  readonly syncMs?: number
  /** How long a PES packet of audio may last, up to 100; 0 (each frame at once) beside video, otherwise 80. */
  readonly audioPesMs?: number
  /** How AC-3 and Enhanced AC-3 are announced; `atsc`. */
  readonly ac3?: Ac3Standard
  /** Writes an SDT with these names. */
  readonly service?: Service
  /** Is added to all times; 126,000 (1.4 s). */
  readonly offset90k?: number
}

export interface TsMuxerCounters {
  frames: number
  /** Frames that were not written: empty, damaged, too large, without finite times, or of a refused track. */
  dropped: number
  /** Frames whose decoding time was before the PCR when they came. */
  late: number
}

export class TsMuxer {
  readonly counters: TsMuxerCounters = { frames: 0, dropped: 0, late: 0 }
  readonly #options: TsMuxerOptions
  readonly #writer: PacketWriter
  readonly #tables: ProgramTables
  readonly #tracks: TrackList
  readonly #cadence: Cadence
  readonly #clock = new ClockWatch()
  readonly #offset90k: number
  readonly #header = new Uint8Array(MAX_PES_HEADER)
  #haveTracksChanged = true
  #generation = 0

  constructor(options: TsMuxerOptions) {
    this.#options = options
    this.#writer = new PacketWriter(options.consume)
    this.#tables = new ProgramTables(PMT_PID, options.service)
    this.#tracks = new TrackList(options.ac3 ?? 'atsc', (options.syncMs ?? DEFAULT_SYNC_MS) * 90)
    this.#cadence = new Cadence(Math.round((options.pcrDelayMs ?? DEFAULT_DELAY_MS) * 90))
    this.#offset90k = Math.round(options.offset90k ?? DEFAULT_OFFSET_90K)
  }

  /** Counts the clocks of the frames: 0 for the first. */
  get generation(): number {
    return this.#generation
  }

  /** Adds a track or changes its configuration, at any time; an unchanged one changes nothing. The PMT follows with the next frame. */
  setTrack(track: Track): TrackRefusal | undefined {
    const known = this.#tracks.get(track.id)
    if (known !== undefined && isSameTrack(known.track, track)) return undefined
    const refusal = this.#tracks.refusalOf(track)
    if (refusal !== undefined) return refusal
    this.flush()
    const result = this.#tracks.set(track)
    this.#haveTracksChanged ||= result === undefined || known !== undefined
    return result
  }

  removeTrack(id: number): void {
    this.flush()
    if (this.#tracks.remove(id)) this.#haveTracksChanged = true
  }

  /** Writes a frame. Its track is added or changed as by `setTrack` if it is not the one that is known. */
  push(frame: Frame): void {
    const track = this.#trackOf(frame.track)
    if (track === undefined || !hasTimes(frame)) {
      this.counters.dropped++
      return
    }
    const pts90k = Math.round(frame.pts90k) + this.#offset90k
    const dts90k = Math.round(track.kind === 'video' ? frame.dts90k : frame.pts90k) + this.#offset90k
    const isWritten =
      track.kind === 'video' ? this.#pushVideo(track, frame, pts90k, dts90k) : this.#pushAudio(track, frame, pts90k)
    if (isWritten) this.counters.frames++
    else this.counters.dropped++
    this.#writer.emit()
  }

  /** Writes the audio frames that wait for others of their PES packet. */
  flush(): void {
    for (const track of this.#tracks.audio) this.#flushAudio(track)
    this.#writer.emit()
  }

  /** The next frame belongs to another clock: its PCR says so. */
  discontinuity(): void {
    this.flush()
    if (this.#cadence.hasStarted) this.#cadence.isDiscontinuity = true
    this.#cadence.hasStarted = false
    for (const track of this.#tracks.video) restart(track)
    for (const track of this.#tracks.audio) restart(track)
  }

  #trackOf(track: Track): MuxTrack | undefined {
    const known = this.#tracks.get(track.id)
    if (known !== undefined && known.given === track) return known
    if (this.setTrack(track) !== undefined) return undefined
    const set = this.#tracks.get(track.id)
    if (set !== undefined) set.given = track
    return set
  }

  #pushVideo(track: VideoTrack, frame: Frame, pts90k: number, dts90k: number): boolean {
    const { unit, times } = track
    if (!unit.measure(frame) || unit.size > MAX_FRAME_BYTES) return false
    const follows = this.#followsClock(track, dts90k)
    times.next(pts90k, dts90k)
    this.#advance(follows ? this.#cadence.seeVideo(times.dts90k) : this.#cadence.position90k, unit.isRandomAccess)
    this.#countLate(times.dts90k)
    // A length, where it fits, says that the picture is whole, or else stuffing does: 2.4.3.7 requires none of video.
    const known = unit.size <= MAX_PES_PAYLOAD ? unit.size : -1
    const header = writePesHeader(this.#header, track.streamId, known, times.pts90k, times.dts90k)
    unit.load(this.#writer, frame.bytes)
    this.#cadence.earn(unit.size)
    this.#open(track, header + unit.size, unit.isRandomAccess, known < 0)
    if (follows && track === this.#tracks.clockTrack) this.#spreadPcrs(unit.size)
    this.#writer.put(this.#header, 0, header)
    unit.write(this.#writer)
    return true
  }

  /** While a large picture is sent, time passes: the PCRs up to the next one stand within it, not behind. */
  #spreadPcrs(size: number): void {
    const count = Math.min(this.#cadence.pcrsUntilNext, Math.floor(size / BYTES_A_PCR))
    if (count > 0) this.#writer.spread(count, this.#insertPcr)
  }

  readonly #insertPcr = (): void => {
    if (!this.#cadence.stepInside()) return
    if (this.#cadence.areTablesDue) this.#writeTables()
    this.#writePcr()
  }

  #pushAudio(track: AudioTrack, frame: Frame, stamp90k: number): boolean {
    const start = frame.unitCount > 0 ? (frame.units[0] ?? -1) : -1
    const end = Math.min(frame.units[1] ?? 0, frame.bytes.length)
    if (start < 0 || start >= end) return false
    const { format, clock, pes } = track
    const head = format.measure(frame.bytes, start, end)
    if (head < 0) return false
    const follows = this.#followsClock(track, stamp90k)
    if (format.streamType !== track.streamType) {
      track.streamType = format.streamType
      this.#haveTracksChanged = true
    }
    const pts90k = clock.next(stamp90k, format.samples, format.sampleRate)
    if (clock.hasGap || !pes.fits(head, end - start)) this.#flushAudio(track)
    if (!pes.fits(head, end - start)) return false
    this.#cadence.earn(end - start)
    this.#advance(follows ? this.#cadence.seeAudio(pts90k) : this.#cadence.position90k, false)
    this.#countLate(pts90k)
    if (pes.length === 0) pes.pts90k = pts90k
    pes.add(format, head, frame.bytes, start, end)
    const frame90k = (format.samples / format.sampleRate) * 90_000
    if (pes.duration90k + frame90k > this.#audioPes90k) this.#flushAudio(track)
    return true
  }

  get #audioPes90k(): number {
    const ms = this.#options.audioPesMs ?? (this.#tracks.video.length > 0 ? 0 : AUDIO_ONLY_PES_MS)
    return Math.min(ms, MAX_AUDIO_PES_MS) * 90
  }

  #flushAudio(track: AudioTrack): void {
    const { pes } = track
    if (pes.length === 0) return
    const header = writePesHeader(this.#header, audioStreamId(track), pes.length, pes.pts90k, pes.pts90k)
    // Without video, each PES packet of the audio that has the clock is a place to start.
    this.#open(track, header + pes.length, track === this.#tracks.clockTrack)
    this.#writer.put(this.#header, 0, header)
    this.#writer.put(pes.bytes, 0, pes.length)
    pes.clear()
  }

  /** Opens the unit of a frame, with a PCR if its PID has the clock and owes one: always at a random access point, 2.4.3.5. */
  #open(track: MuxTrack, size: number, isRandomAccess: boolean, isStuffed = false): void {
    const { counter } = track.place
    const hasClock = track === this.#tracks.clockTrack
    const hasPcr = hasClock && (isRandomAccess || this.#cadence.isPcrDue)
    let flags = isRandomAccess ? RANDOM_ACCESS_FLAG : 0
    if (hasPcr && this.#cadence.isDiscontinuity) {
      flags |= DISCONTINUITY_FLAG
      this.#cadence.isDiscontinuity = false
    }
    this.#writer.open(counter, size, flags, hasPcr ? this.#cadence.takePcr27M() : NO_PCR, isStuffed)
  }

  /** Whether the frame moves the clock of the stream. Tells the caller of one that jumps. */
  #followsClock(track: MuxTrack, dts90k: number): boolean {
    const { position90k, hasStarted } = this.#cadence
    const { stamps } = track
    const { last90k } = stamps
    const verdict = this.#clock.judge(stamps, dts90k, hasStarted ? position90k : dts90k, this.#isAlone(track))
    if (verdict === 'jump') {
      this.discontinuity()
      this.#generation++
      stamps.last90k = dts90k
      this.#options.onJump?.(dts90k - (last90k === -Infinity ? position90k : last90k), this.#generation)
    } else if (verdict === 'steps') {
      if (track.kind === 'audio') this.#flushAudio(track)
      restartTimes(track)
    }
    return !stamps.isFar
  }

  /** No other track has had a frame since the clock began. */
  #isAlone(track: MuxTrack): boolean {
    for (const other of this.#tracks.video) if (other !== track && other.stamps.last90k > -Infinity) return false
    for (const other of this.#tracks.audio) if (other !== track && other.stamps.last90k > -Infinity) return false
    return true
  }

  /** Writes the PCRs and tables that are owed up to the position. */
  #advance(position90k: number, isRandomAccess: boolean): void {
    const cadence = this.#cadence
    const isFirst = !cadence.hasStarted
    if (isFirst) cadence.start(position90k)
    const areNew = this.#haveTracksChanged && cadence.hasPcr
    if (this.#haveTracksChanged) this.#changeTables()
    if (areNew) this.#writeTables()
    while (cadence.step(position90k)) {
      if (cadence.areTablesDue) this.#writeTables()
      this.#writePcr()
    }
    if (isFirst || (isRandomAccess && !areNew) || cadence.areTablesDue) this.#writeTables()
    if (!cadence.hasPcr && !isRandomAccess) this.#writePcr()
  }

  #changeTables(): void {
    this.#haveTracksChanged = false
    const tracks = [...this.#tracks.video, ...this.#tracks.audio]
    this.#tables.change(this.#tracks.clockTrack?.place.counter.pid ?? NULL_PID, tracks.map(pmtStreamOf))
  }

  #writeTables(): void {
    this.#tables.write(this.#writer, this.#cadence.position90k)
    this.#cadence.noteTables()
  }

  #writePcr(): void {
    const counter = this.#tracks.clockTrack?.place.counter
    if (counter === undefined) return
    this.#writer.writePcr(counter, this.#cadence.takePcr27M(), this.#cadence.isDiscontinuity)
    this.#cadence.isDiscontinuity = false
  }

  #countLate(dts90k: number): void {
    if (this.#cadence.isLate(dts90k)) this.counters.late++
  }
}

/** What comes next has nothing to do with what came before. */
function restart(track: MuxTrack): void {
  track.stamps.reset()
  restartTimes(track)
}

function restartTimes(track: MuxTrack): void {
  if (track.kind === 'video') track.times.reset()
  else track.clock.reset()
}

/** Times that can be counted with. */
function hasTimes({ pts90k, dts90k }: Frame): boolean {
  return Math.abs(pts90k) < 2 ** 50 && Math.abs(dts90k) < 2 ** 50
}

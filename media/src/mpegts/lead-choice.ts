// Which program and which track lead: the track whose units cut chunks, and at which viewers start. Decided once, in the
// framer, by the packets that come, in stream time; later nodes read it from the chunk. The choice depends on nothing
// but the tables and what flows now, so a framer that starts later chooses the same.
import type { Lead, Track } from './chunk.js'
import { HAS_PCR, PSI, UNIT_START } from './marks.js'
import { hasPayload, NULL_PID, PID_COUNT } from './packet.js'
import { readPcrBase } from './pcr.js'
import type { PacketScanner } from './packet-scanner.js'
import type { ProgramTable } from './program-table.js'
import { recognizeVideo } from './recognize-video.js'
import { StreamTime } from './stream-time.js'

/** How long an announced PID may be silent, unless it is known to send rarely. */
const DEFAULT_PROBE_MS = 2000
/** A PID whose pauses are no longer than this (stills every few seconds) may pause twice as long before it is silent. */
const MAX_PAUSE_MS = 10_000
/** How much of the longest pause is remembered with each unit: two units of one still are close together. */
const PAUSE_MEMORY = 0.75
const CHECK_EVERY_MS = 250
/** How many tracks of a stream can lead, video before audio before data. */
const MAX_CANDIDATES = 256
const MAX_FLOWS = 1024
const MEDIA: readonly Track['media'][] = ['video', 'audio', 'data']

/** The PID is that of a candidate. */
const CANDIDATE = 1
/** A unit on this PID makes it lead. */
const AWAITED = 2
/** The PID leads a program, not the stream. */
const LEADS_PROGRAM = 4

/** What is on the PID is unknown, and looked at. */
const UNKNOWN = 8

/** What is known of the packets of an announced PID. Times are stream time. */
interface Flow {
  readonly media: Track['media']
  readonly announcedMs: number
  /** When it sent last; -1 before its first unit. */
  activeMs: number
  pauseMs: number
  /** Since when it has sent without falling silent. */
  runMs: number
}

/** An announced track that would lead if it sent anything. */
export interface SilentTrack {
  readonly pid: number
  /** It has sent for some time, without falling silent. */
  readonly hasSent: boolean
}

interface Candidate {
  lead: Lead
  readonly flow: Flow
}

export interface LeadSettings {
  /** Only this program can lead. By default any. */
  readonly program?: number | undefined
  readonly probeMs?: number
  /** The choice of the previous generation: what has been silent in it is not waited for again. */
  readonly before?: LeadChoice | undefined
}

export class LeadChoice {
  /** Can change at any time. */
  probeMs: number
  /** Undefined before PAT and PMT. One object as long as it is the same. */
  lead: Lead | undefined
  readonly time: StreamTime
  readonly #table: ProgramTable
  readonly #scanner: PacketScanner
  readonly #program: number | undefined
  readonly #flows: Map<number, Flow>
  readonly #startMs: number
  readonly #vainSinceMs: number
  readonly #roles = new Uint8Array(PID_COUNT)
  /** Codecs of video that its bytes have shown, by PID; in all generations. */
  readonly #recognized: Map<number, string>
  /** Best first. */
  #candidates: readonly Candidate[] = []
  #seenChanges = -1
  /** Some PID is AWAITED. */
  #isAwaiting = false
  #checkedMs = 0

  /** `table` and `scanner` follow the same stream; the caller passes each packet to them first. */
  constructor(table: ProgramTable, scanner: PacketScanner, { program, probeMs, before }: LeadSettings = {}) {
    this.#table = table
    this.#scanner = scanner
    this.#program = program
    this.probeMs = probeMs ?? before?.probeMs ?? DEFAULT_PROBE_MS
    this.#flows = before === undefined ? new Map() : before.#flows
    this.#recognized = before === undefined ? new Map() : before.#recognized
    this.time = before?.time ?? new StreamTime()
    this.#startMs = this.time.nowMs
    this.#vainSinceMs = before === undefined || before.isFlowing ? this.#startMs : before.#vainSinceMs
    this.#checkedMs = this.#startMs
  }

  /** Packets come on the PID that leads. */
  get isFlowing(): boolean {
    const { lead } = this
    const flow = lead === undefined ? undefined : this.#flows.get(lead.pid)
    return flow !== undefined && this.#isActive(flow)
  }

  /** The PID that leads was announced a moment ago, and has sent nothing yet. */
  get isFresh(): boolean {
    const { lead } = this
    const flow = lead === undefined ? undefined : this.#flows.get(lead.pid)
    return flow !== undefined && this.#isFresh(flow)
  }

  /**
   * Of better media than the lead: a video, while only audio comes. Undefined if there is none, and while nothing comes
   * on the PID that leads.
   */
  get silentTrack(): SilentTrack | undefined {
    const { lead } = this
    if (lead === undefined || !this.isFlowing) return undefined
    let found: SilentTrack | undefined
    for (const { lead: track, flow } of this.#candidates) {
      if (track.media === lead.media) break
      if (this.#isActive(flow) || this.#isFresh(flow)) continue
      const hasSent = flow.activeMs >= 0 && flow.activeMs - flow.runMs >= this.probeMs
      if (found === undefined || hasSent) found = { pid: track.pid, hasSent }
      if (hasSent) break
    }
    return found
  }

  /** Packets have come, and each had a transport error. */
  get isAllDamaged(): boolean {
    return this.#scanner.isAllDamaged
  }

  /** Enough of the stream has passed to say what it lacks; with it, what earlier generations showed in vain. */
  get isProbed(): boolean {
    return this.time.nowMs - this.#vainSinceMs >= this.probeMs
  }

  /** The generation has just begun. */
  get isNew(): boolean {
    return this.time.nowMs - this.#startMs < this.probeMs
  }

  /** Takes every packet that has flags. True if another track leads from this packet on. */
  note(bytes: Uint8Array, offset: number, pid: number, flags: number, arrivalMs: number): boolean {
    if ((flags & HAS_PCR) !== 0) this.time.notePcr(pid, readPcrBase(bytes, offset), arrivalMs)
    if ((flags & PSI) !== 0 && this.#table.changes !== this.#seenChanges) return this.#decide(bytes)
    if ((flags & UNIT_START) !== 0 && this.#roles[pid] !== 0) {
      this.#noteUnit(pid)
      const isNew = (this.#roles[pid]! & UNKNOWN) !== 0 && this.#recognize(bytes, offset, pid)
      if (isNew || (this.#roles[pid]! & AWAITED) !== 0) return this.#decide(bytes)
    }
    return (flags & HAS_PCR) !== 0 && this.#isDue && this.#decide(bytes)
  }

  /** Packets have come, and leave `bytes` now. True if another track leads from here on. */
  check(bytes: Uint8Array, arrivalMs: number): boolean {
    this.time.noteArrival(arrivalMs)
    return this.#isDue && this.#decide(bytes)
  }

  /** The PID leads a program other than that of the lead. */
  leadsOther(pid: number): boolean {
    return (this.#roles[pid]! & LEADS_PROGRAM) !== 0
  }

  get #isDue(): boolean {
    return this.time.nowMs - this.#checkedMs >= CHECK_EVERY_MS
  }

  /** The usual case: the best of all tracks leads, and sends. */
  get #isSettled(): boolean {
    const [best] = this.#candidates
    if (this.#isAwaiting || best === undefined || best.lead !== this.lead || this.#table.changes !== this.#seenChanges)
      return false
    return this.#table.programs.size === 1 && this.#isActive(best.flow)
  }

  /** True if the PID turns out to be video: the candidates are listed again. */
  #recognize(bytes: Uint8Array, offset: number, pid: number): boolean {
    const codec = recognizeVideo(bytes, offset)
    if (codec === undefined) return false
    this.#recognized.set(pid, codec)
    this.#seenChanges = -1
    return true
  }

  #noteUnit(pid: number): void {
    const flow = this.#flows.get(pid)
    if (flow === undefined) return
    const { nowMs } = this.time
    if (!this.#isActive(flow)) flow.runMs = nowMs
    const pauseMs = flow.activeMs < 0 ? 0 : nowMs - flow.activeMs
    flow.pauseMs = Math.max(pauseMs > MAX_PAUSE_MS ? 0 : pauseMs, flow.pauseMs * PAUSE_MEMORY)
    flow.activeMs = nowMs
  }

  /** Units can be long: any packet with payload shows that a PID still sends. */
  #noteSeen(bytes: Uint8Array): void {
    const { seen, seenCount, lastOffset } = this.#scanner
    for (let at = 0; at < seenCount; at++) {
      const pid = seen[at]!
      if (this.#roles[pid] === 0 || !hasPayload(bytes, lastOffset[pid]!)) continue
      const flow = this.#flows.get(pid)
      if (flow !== undefined && flow.activeMs >= 0) flow.activeMs = this.time.nowMs
    }
  }

  #decide(bytes: Uint8Array): boolean {
    this.#noteSeen(bytes)
    this.#checkedMs = this.time.nowMs
    if (this.#isSettled) return false
    if (this.#table.changes !== this.#seenChanges) this.#list()
    const before = this.lead
    const best = this.#best()
    const next = best?.lead
    if (!isSameLead(before, next)) this.lead = next
    else if (best !== undefined && before !== undefined) best.lead = before
    this.#assignRoles(best)
    return this.lead !== before
  }

  /** Lists the candidates, best first: by media, then in the order of PAT and PMTs. */
  #list(): void {
    this.#seenChanges = this.#table.changes
    const candidates: Candidate[] = []
    const mediaOf = new Map<number, Track['media']>()
    for (const media of MEDIA) this.#listMedia(media, mediaOf, candidates)
    this.#candidates = candidates
    if (this.#flows.size <= MAX_FLOWS) return
    const pids = new Set(candidates.map(({ lead }) => lead.pid))
    for (const pid of this.#flows.keys()) if (!pids.has(pid)) this.#flows.delete(pid)
    for (const pid of this.#recognized.keys()) if (!pids.has(pid)) this.#recognized.delete(pid)
  }

  #listMedia(media: Track['media'], mediaOf: Map<number, Track['media']>, candidates: Candidate[]): void {
    for (const number of this.#table.named.keys()) {
      if (this.#program !== undefined && number !== this.#program) continue
      for (const announced of this.#table.programs.get(number)?.tracks ?? []) {
        const track = this.#known(announced)
        if (track.media !== media || track.pid === NULL_PID || this.#table.isSectionPid[track.pid] === 1) continue
        if (candidates.length === MAX_CANDIDATES) return
        // A PID that is announced as several media is the best of them.
        if (mediaOf.get(track.pid) !== undefined && mediaOf.get(track.pid) !== media) continue
        mediaOf.set(track.pid, media)
        const lead = { program: number, pid: track.pid, media, codec: track.codec }
        candidates.push({ lead, flow: this.#flowOf(track) })
      }
    }
  }

  /** The track, as its bytes have shown it. */
  #known(track: Track): Track {
    const codec = isUnknown(track) ? this.#recognized.get(track.pid) : undefined
    return codec === undefined ? track : { ...track, media: 'video', codec }
  }

  #flowOf({ pid, media }: Track): Flow {
    const known = this.#flows.get(pid)
    if (known?.media === media) return known
    // It has shown what it is by sending.
    if (known !== undefined && this.#recognized.has(pid)) {
      const flow = { ...known, media }
      this.#flows.set(pid, flow)
      return flow
    }
    const flow = { media, announcedMs: this.time.nowMs, activeMs: -1, pauseMs: 0, runMs: 0 }
    this.#flows.set(pid, flow)
    return flow
  }

  /**
   * A track that sends comes before one that has only been announced; but the one that leads, and has been announced a
   * moment ago, is given its time. If nothing comes at all, the first one leads.
   */
  #best(): Candidate | undefined {
    const candidates = this.#candidates
    const active = candidates.findIndex(({ flow }) => this.#isActive(flow))
    const fresh = candidates.findIndex(({ flow }) => this.#isFresh(flow))
    const current = candidates.findIndex(({ lead }) => isSameLead(lead, this.lead))
    if (current >= 0 && this.#isActive(candidates[current]!.flow)) return candidates[active]
    if (fresh < 0) return candidates[Math.max(active, 0)]
    return candidates[active < 0 ? fresh : Math.min(active, fresh)]
  }

  #isActive({ activeMs, pauseMs }: Flow): boolean {
    return activeMs >= 0 && this.time.nowMs - activeMs < Math.max(this.probeMs, 2 * pauseMs)
  }

  #isFresh({ announcedMs, activeMs }: Flow): boolean {
    return activeMs < 0 && this.time.nowMs - announcedMs < this.probeMs
  }

  #assignRoles(best: Candidate | undefined): void {
    this.#roles.fill(0)
    this.#isAwaiting = false
    const leading = new Set<number>(best === undefined ? [] : [best.lead.program])
    // Better tracks are awaited; a silent lead gives way to any track that sends.
    const isSilent = !this.isFlowing
    let isBetter = true
    for (const candidate of this.#candidates) {
      const { pid, program } = candidate.lead
      if (candidate === best) isBetter = isSilent
      const isActive = this.#isActive(candidate.flow)
      let role = this.#roles[pid]! | CANDIDATE | (isUnknown(candidate.lead) ? UNKNOWN : 0)
      if (isBetter && !isActive && candidate !== best) {
        role |= AWAITED
        this.#isAwaiting = true
      }
      if (!leading.has(program) && (isActive || this.#isFresh(candidate.flow))) {
        leading.add(program)
        role |= LEADS_PROGRAM
      }
      this.#roles[pid] = role
    }
  }
}

function isSameLead(a: Lead | undefined, b: Lead | undefined): boolean {
  return a?.program === b?.program && a?.pid === b?.pid && a?.media === b?.media && a?.codec === b?.codec
}

/** Neither stream_type nor descriptors name its codec. */
function isUnknown({ media, codec }: Pick<Track, 'media' | 'codec'>): boolean {
  return media === 'data' && codec.startsWith('0x')
}

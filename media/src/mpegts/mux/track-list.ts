// The tracks of a muxer and their PIDs. A PID belongs to an id for as long as there is room: a track that comes back has
// its old one, and its continuity counter goes on.
import type { Track } from '../../elementary/track.js'
import type { Ac3Standard } from './audio-format.js'
import { createTrack, isSameTrack, refuse } from './mux-track.js'
import type { AudioTrack, MuxTrack, Place, VideoTrack } from './mux-track.js'
import type { PidCounter } from './packet-writer.js'

/** PIDs: video from 0x100, audio from 0x110, sixteen of each. */
const FIRST_PID = { video: 0x100, audio: 0x110 } as const
const MAX_OF_KIND = 16
/** Refusals that are kept, so that their tracks need not be looked at with each frame. */
const MAX_REFUSED = 32
const COPIED_CONFIG_BYTES = 64 * 1024

export interface TrackRefusal {
  readonly trackId: number
  readonly codec: string
  /** A sentence for the log. */
  readonly reason: string
}

interface Slot extends Place {
  /** Of the track that has it, or had it last. */
  id: number | undefined
}

export class TrackList {
  readonly #ac3: Ac3Standard
  readonly #sync90k: number
  readonly #tracks = new Map<number, MuxTrack>()
  readonly #refused = new Map<number, { track: Track; refusal: TrackRefusal }>()
  readonly #slots = { video: [] as Slot[], audio: [] as Slot[] }
  /** In the order of their PIDs. */
  video: readonly VideoTrack[] = []
  audio: readonly AudioTrack[] = []

  constructor(ac3: Ac3Standard, sync90k: number) {
    this.#ac3 = ac3
    this.#sync90k = sync90k
  }

  get(id: number): MuxTrack | undefined {
    return this.#tracks.get(id)
  }

  get clockTrack(): MuxTrack | undefined {
    return this.video[0] ?? this.audio[0]
  }

  /** The refusal of this very track, if it was refused. */
  refusalOf(track: Track): TrackRefusal | undefined {
    const known = this.#refused.get(track.id)
    return known !== undefined && isSameTrack(known.track, track) ? known.refusal : undefined
  }

  /** Takes a track that is new or has changed. The caller has flushed the one before it. */
  set(given: Track): TrackRefusal | undefined {
    const track = { ...given, config: given.config.slice(0, COPIED_CONFIG_BYTES) }
    const reason = refuse(track, this.#ac3) ?? this.#reserve(track)
    if (reason !== undefined) return this.#refuse(track, reason)
    this.#refused.delete(track.id)
    const slot = this.#slots[track.kind].find(({ id }) => id === track.id)!
    const next = createTrack(track, slot, this.#ac3, this.#sync90k)
    this.#tracks.set(track.id, keepTimes(next, this.#tracks.get(track.id)))
    this.#sort()
    return undefined
  }

  /** True if it was there. */
  remove(id: number): boolean {
    this.#refused.delete(id)
    const wasThere = this.#tracks.delete(id)
    if (wasThere) this.#sort()
    return wasThere
  }

  /** Makes sure that the track has a slot. */
  #reserve({ id, kind }: Track): string | undefined {
    const slots = this.#slots[kind]
    if (slots.some((slot) => slot.id === id)) return undefined
    const isFree = (slot: Slot): boolean => slot.id === undefined || this.#tracks.get(slot.id)?.kind !== kind
    if (slots.length < MAX_OF_KIND) {
      const counter: PidCounter = { pid: FIRST_PID[kind] + slots.length, next: 0 }
      slots.push({ counter, number: slots.length, id })
      return undefined
    }
    const free = slots.find(isFree)
    if (free === undefined) return `${kind}: more than ${MAX_OF_KIND} tracks`
    free.id = id
    return undefined
  }

  #refuse(track: Track, reason: string): TrackRefusal {
    const refusal = { trackId: track.id, codec: track.codec, reason }
    if (this.#refused.size >= MAX_REFUSED) this.#refused.delete(this.#refused.keys().next().value!)
    this.#refused.set(track.id, { track, refusal })
    if (this.#tracks.delete(track.id)) this.#sort()
    return refusal
  }

  #sort(): void {
    const tracks = [...this.#tracks.values()].sort((a, b) => a.place.counter.pid - b.place.counter.pid)
    this.video = tracks.filter((track) => track.kind === 'video')
    this.audio = tracks.filter((track) => track.kind === 'audio')
  }
}

/** Another configuration does not restart the clocks of a track. */
function keepTimes(next: MuxTrack, before: MuxTrack | undefined): MuxTrack {
  if (before === undefined) return next
  next.stamps = before.stamps
  if (next.kind === 'video' && before.kind === 'video') return { ...next, times: before.times }
  if (next.kind === 'audio' && before.kind === 'audio') return { ...next, clock: before.clock }
  return next
}

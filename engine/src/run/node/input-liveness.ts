// Whether packets come from an input. It compares counters that the input keeps anyway: once a second, and for each item
// while none have come.
import { renderBytes } from '../../observe/human-amounts.js'
import type { PacketTimeout } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { Silence } from './node-state.js'

/** An input that has sent no packets for this long is silent. It is noticed up to a second later. */
export const SILENT_AFTER_MS = 5000
/** Fewer bytes without packets may be the end of the last packet. */
const JUNK_FROM_BYTES = 1024
const JUST_CONNECTED: Silence = { why: 'no packets so far', isNew: true }
const SILENT: Silence = { why: `no packets for ${SILENT_AFTER_MS / 1000} s`, isNew: false }

/** What an input has received; the numbers only grow. */
export interface Arrivals {
  /** TS packets without null packets, or chunks of another kind. */
  readonly packets: number
  readonly nullPackets: number
  readonly receivedBytes: number
  /** Readers make the source wait: it sends nothing, and is not silent. */
  readonly isHeld: boolean
  /** When to give the source up; undefined for never. */
  readonly packetTimeout: PacketTimeout | undefined
}

export class InputLiveness {
  readonly #arrivals: Arrivals
  readonly #clock: Clock
  readonly #onChange: (silence: Silence | undefined) => void
  #silence: Silence | undefined
  /** Junk has been noticed since the last packets. */
  #isJunk = false
  /** As of the last packets, and when they were noticed. */
  #packets = 0
  #nullPackets = 0
  #receivedBytes = 0
  #noticedMs = 0

  /** `onChange`: called when packets come again, when none come, and when it turns out that junk comes instead. */
  constructor(arrivals: Arrivals, clock: Clock, onChange: (silence: Silence | undefined) => void) {
    this.#arrivals = arrivals
    this.#clock = clock
    this.#onChange = onChange
  }

  /** A source connects: it has sent nothing yet. */
  connect(): void {
    this.#note()
    this.#change(this.#arrivals.isHeld ? undefined : JUST_CONNECTED)
  }

  /** The connection is up. Unless packets have come already, the time until it is silent begins now. */
  ready(): void {
    if (this.#silence !== undefined) this.connect()
  }

  /** Nobody is expected to send: the next packets are a change, even if packets came until now. */
  expectNone(): void {
    this.#note()
    this.#change(JUST_CONNECTED)
  }

  /** Packets have come, or the source waits for its turn to send them. */
  confirm(): void {
    this.#note()
    this.#change(undefined)
  }

  /** Called for each item that is received. */
  noteItem(): void {
    if (this.#silence !== undefined && this.#arrivals.packets !== this.#packets) this.confirm()
  }

  /** A generation ends: packets counted with its end came before, and are no sign of life. */
  noteBoundary(): void {
    if (this.#silence !== undefined) this.#packets = this.#arrivals.packets
  }

  /** Called once a second while the input is open. */
  sweep(): void {
    const { packets, receivedBytes, isHeld } = this.#arrivals
    if (packets !== this.#packets) return this.confirm()
    if (isHeld) {
      this.#noticedMs = this.#clock.nowMs()
      return
    }
    const silentMs = this.#clock.nowMs() - this.#noticedMs
    if (silentMs >= SILENT_AFTER_MS) this.#report(receivedBytes - this.#receivedBytes)
    this.#giveUp(silentMs, receivedBytes - this.#receivedBytes)
  }

  #report(junkBytes: number): void {
    if (!this.#isJunk && junkBytes >= JUNK_FROM_BYTES) {
      this.#isJunk = true
      this.#change({ why: this.#describe(junkBytes), isNew: false })
    } else if (this.#silence === undefined || this.#silence.isNew) this.#change(SILENT)
  }

  /** If fewer bytes come, or none, the source notices by itself, and says so more exactly. */
  #giveUp(silentMs: number, junkBytes: number): void {
    const { packetTimeout } = this.#arrivals
    const { ms = 0 } = packetTimeout ?? {}
    if (ms === 0 || silentMs < ms || junkBytes < JUNK_FROM_BYTES) return
    packetTimeout?.giveUp(`${this.#describe(junkBytes)}, for ${ms / 1000} s`)
  }

  #describe(junkBytes: number): string {
    if (this.#arrivals.nullPackets > this.#nullPackets) return 'null packets alone'
    return `${renderBytes(junkBytes)} received but no MPEG-TS packets found`
  }

  #note(): void {
    this.#packets = this.#arrivals.packets
    this.#nullPackets = this.#arrivals.nullPackets
    this.#receivedBytes = this.#arrivals.receivedBytes
    this.#noticedMs = this.#clock.nowMs()
    this.#isJunk = false
  }

  #change(silence: Silence | undefined): void {
    if (silence === this.#silence) return
    this.#silence = silence
    this.#onChange(silence)
  }
}

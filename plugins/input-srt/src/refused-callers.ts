// Tells in the log why callers are refused, which their own programs rarely do. They call as often as they like: each code
// gets at most one line in ten seconds, which says how many there were.
import type { Clock, Logger } from '@millrace/engine/plugin'
import { describeRejectCode, REJECT } from '@millrace/srt'
import type { PeerAddress } from '@millrace/srt'
import { reasonOf } from './refusals.js'

const TELL_EVERY_MS = 10_000
const MOST_SHOWN = 128

/** Before the caller has said what it wants; of other codes whoever decides knows more. */
const UNASKED: Readonly<Record<number, string>> = {
  [REJECT.version]: 'its SRT is older than 1.3',
  [REJECT.messageApi]: 'it wants file mode; expected live mode (`transtype=live`)',
  [REJECT.congestion]: 'it wants a congestion control that is not `live`',
  [REJECT.filter]: 'it wants a packet filter (`packetfilter`), which is not supported',
  [REJECT.group]: 'it wants a bonded connection, which is not supported',
  [REJECT.crypto]: 'it wants AES-GCM; expected AES-CTR (`cryptomode=1`)',
  [REJECT.backlog]: 'too many callers wait for a decision',
}

export interface RefusedCaller {
  readonly code: number
  readonly why: string
  readonly client: string
  /** What it has asked for, without credentials. */
  readonly asked?: string
}

interface Told {
  readonly untilMs: number
  /** Since the last line. */
  refused: number
}

export class RefusedCallers {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #log: Pick<Logger, 'warn'>
  readonly #told = new Map<number | 'other', Told>()

  constructor(clock: Pick<Clock, 'nowMs'>, log: Pick<Logger, 'warn'>) {
    this.#clock = clock
    this.#log = log
  }

  note({ code, why, client, asked }: RefusedCaller): void {
    // Codes that no table has come from auth providers.
    const reason = reasonOf(code) === 'other' ? 'other' : code
    const nowMs = this.#clock.nowMs()
    const told = this.#told.get(reason)
    if (told !== undefined && nowMs < told.untilMs) {
      told.refused++
      return
    }
    const refused = (told?.refused ?? 0) + 1
    this.#told.set(reason, { untilMs: nowMs + TELL_EVERY_MS, refused: 0 })
    const shown = asked === undefined ? {} : { asked: printable(asked) }
    this.#log.warn({ client, code: describeRejectCode(code), ...shown, refused }, `refused a caller: ${visible(why)}`)
  }

  /** A caller was refused because of what it speaks. */
  noteUnasked(peer: PeerAddress, code: number): void {
    const why = UNASKED[code]
    if (why !== undefined) this.note({ code, why, client: clientOf(peer) })
  }
}

/** As in the list of viewers. */
export function clientOf({ address, port }: PeerAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Whoever writes a name can write a query with credentials behind it. */
function printable(asked: string): string {
  return visible(asked.replace(/\?.*$/s, '')).slice(0, MOST_SHOWN)
}

/** Control characters of all kinds move the cursor of a terminal, or turn the text around. */
function visible(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}

// Which viewer a request belongs to. The grant tells, or else the address and the agent. A session begins with a playlist;
// segments and keys only belong to one.
import type { Audience, Refusal, Session, SessionCallbacks, Who } from '@millrace/engine/plugin'
import type { ReportHistograms } from '../cmcd/player-reports.js'
import type { CmcdReport } from '../cmcd/parse-cmcd.js'
import { readCmcd } from '../cmcd/read-cmcd.js'
import { type Exchange, respondText } from '../serve/exchange.js'
import type { KnownViewers } from './known-viewers.js'

export interface ViewersParts {
  readonly audience: Audience
  readonly known: KnownViewers
  readonly histograms: ReportHistograms
  nowMs(): number
  /** Bytes sent to somebody who has no session. */
  countSent(bytes: number): void
}

export class Viewers {
  readonly #parts: ViewersParts
  readonly #nobody: Session

  constructor(parts: ViewersParts) {
    this.#parts = parts
    this.#nobody = {
      ...{ id: '', isOver: false, end: () => undefined },
      sent: (bytes) => parts.countSent(bytes),
      busy: () => ({ [Symbol.dispose]: () => undefined }),
    }
  }

  /** The session of a request for a playlist, which begins with it if it is a new one. Undefined: it has been refused. */
  begin(exchange: Exchange): Session | undefined {
    const { audience, known } = this.#parts
    const { who } = exchange.visit
    const report = reportOf(exchange)
    const key = this.#keyOf(exchange, report)
    const begun: { session?: Session } = {}
    const callbacks: SessionCallbacks = {
      describe: () => {
        const player = begun.session === undefined ? undefined : known.reports.of(begun.session)
        return { state: 'reading', ...(player === undefined ? {} : { player }) }
      },
    }
    const session = this.#joined(exchange, key) ?? audience.touch(key, who, callbacks)
    if ('refused' in session) return refuse(exchange, session)
    begun.session = session
    if (exchange.grant === undefined) known.keys.noteUse(who, key)
    this.#note(session, report)
    return session
  }

  /**
   * The session of a request for something that a playlist lists. Somebody without one is served, but only as long as a
   * viewer would be admitted. Undefined: it has been refused.
   */
  follow(exchange: Exchange): Session | undefined {
    const found = this.#find(exchange) ?? this.#parts.audience.refusalOf(exchange.visit.who) ?? this.#nobody
    return 'refused' in found ? refuse(exchange, found) : found
  }

  /** The same for what is refused to nobody. */
  sessionOf(exchange: Exchange): Session {
    return sessionOf(this.#find(exchange)) ?? this.#nobody
  }

  /** Counts and logs a viewer who cannot be served. */
  refuse(who: Who, reason: string, status: number): void {
    this.#parts.audience.refuse(who, reason, status)
  }

  #find(exchange: Exchange): Session | Refusal | undefined {
    const { audience, known } = this.#parts
    const { who } = exchange.visit
    const report = reportOf(exchange)
    const key = this.#keyOf(exchange, report)
    let session = audience.find(key, who)
    if (session === undefined && exchange.grant === undefined) {
      const others = new Set([known.keys.plainKey(who), known.keys.lastKey(who) ?? key])
      for (const other of others) session ??= other === key ? undefined : audience.find(other, who)
    }
    if (session !== undefined && !('refused' in session)) this.#note(session, report)
    return session
  }

  #keyOf({ grant, visit: { who } }: Exchange, report: CmcdReport | undefined): string {
    const { known, audience } = this.#parts
    if (grant !== undefined) return `grant ${grant.id}`
    if (report?.sid === undefined) return known.keys.plainKey(who)
    return known.keys.keyOf(who, report.sid, (key) => sessionOf(audience.find(key, who)))
  }

  /** An id that players choose never costs a viewer its place: where there is no other, it joins the one that it has. */
  #joined({ grant, visit: { who } }: Exchange, key: string): Session | undefined {
    const { known, audience } = this.#parts
    const plain = known.keys.plainKey(who)
    if (grant !== undefined || key === plain || audience.refusalOf(who) === undefined) return undefined
    return audience.find(key, who) === undefined ? sessionOf(audience.find(plain, who)) : undefined
  }

  #note(session: Session, report: CmcdReport | undefined): void {
    const { known, histograms, nowMs } = this.#parts
    if (report !== undefined) known.reports.note(session, report, { nowMs: nowMs(), histograms })
  }
}

function reportOf({ request, visit }: Exchange): CmcdReport | undefined {
  return readCmcd(visit.query, request.headers)
}

function sessionOf(found: Session | Refusal | undefined): Session | undefined {
  return found === undefined || 'refused' in found ? undefined : found
}

function refuse(exchange: Exchange, { refused, status }: Refusal): undefined {
  respondText(exchange, status, `refused: ${refused}`)
}

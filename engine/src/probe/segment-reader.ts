// Reads the segments of one media playlist, one after the other and no more than the options allow, and checks what is in
// them. Those that cannot be decrypted, or are no transport streams, are only measured.
import { BitrateWatch, checkSegmentResponse, SegmentWatch } from '@millrace/media/hls'
import type { DeclaredFormats, Finding, MediaPlaylist, RemovedSegment, Segment } from '@millrace/media/hls'
import { blocksOf, decryptRange, decryptSegment, isDecryptable, ivOf, type Blocks } from './decryption.js'
import type { HttpAnswer, HttpClient } from './http-client.js'
import { resolveUrl } from './resolve-url.js'
import { SegmentSections } from './segment-sections.js'
import type { Turns } from './turns.js'

/** Ten seconds of 50 Mbit/s. */
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024
/** Players of a live stream begin that many segments before its end. */
const LIVE_SEGMENTS = 3
const MAX_REMOVED_CHECKS = 8
const TS_SYNC_BYTE = 0x47
const SKIPPED_STATUS = [405, 501]

export interface SegmentSource {
  readonly http: HttpClient
  /** Of all downloads of segments of the probe. */
  readonly turns: Turns
  readonly areIndependent: boolean
  readonly declared: DeclaredFormats
  nowMs(): number
  report(findings: readonly Finding[]): void
}

interface RemovedFile {
  readonly url: string
  readonly uri: string
  readonly untilMs: number
}

interface Wanted {
  readonly segment: Segment
  readonly base: string
  readonly playlist: MediaPlaylist
  /** Resolved: where its byte range begins. */
  readonly offset: number
}

type Tell = (findings: readonly Finding[]) => void

export class SegmentReader {
  readonly bitrates = new BitrateWatch()
  /** How many were read. */
  read = 0
  readonly #source: SegmentSource
  readonly #watch = new SegmentWatch()
  readonly #sections: SegmentSections
  #budget: number
  #removedBudget = MAX_REMOVED_CHECKS
  #removed: readonly RemovedFile[] = []
  /** The checks, one after the other. */
  #checks = Promise.resolve()

  constructor(source: SegmentSource, budget: number) {
    this.#source = source
    this.#budget = budget
    this.#sections = new SegmentSections(source.http, source.report)
  }

  /** New segments of a version of the playlist. */
  add(added: readonly Segment[], playlist: MediaPlaylist, base: string, isFirstVersion: boolean): void {
    const fresh = isFirstVersion && !playlist.hasEnded ? added.slice(-LIVE_SEGMENTS) : added
    const offsets = offsetsOf(playlist.segments)
    for (const segment of fresh) {
      if (segment.isGap || this.#budget === 0) continue
      this.#budget--
      const wanted = { segment, base, playlist, offset: offsets.get(segment.sequence) ?? 0 }
      this.#checks = this.#checks.then(async () => this.#source.turns.take(async () => this.#check(wanted)))
    }
  }

  /** Resolves when all that were added are checked. */
  async done(): Promise<void> {
    await this.#checks
  }

  /** Segments that have left the playlist: they must still be there for a while. */
  addRemoved(removed: readonly RemovedSegment[], base: string): void {
    for (const { segment, untilMs } of removed) {
      const url = resolveUrl(segment.uri, base)
      if (segment.isGap || url === undefined || this.#removedBudget === 0) continue
      this.#removedBudget--
      this.#removed = [...this.#removed, { url, uri: segment.uri, untilMs }]
    }
  }

  /** Asks for those whose time is over at `beforeMs`, so as late as can be. */
  async checkRemoved(beforeMs: number): Promise<void> {
    const due = this.#removed.filter(({ untilMs }) => untilMs <= beforeMs)
    this.#removed = this.#removed.filter(({ untilMs }) => untilMs > beforeMs)
    for (const { url, uri, untilMs } of due) {
      if (this.#source.nowMs() >= untilMs) continue
      const answer = await this.#source.http.get(url, { method: 'HEAD', maxBytes: 0 })
      const isGone = !('failure' in answer) && answer.status >= 400 && !SKIPPED_STATUS.includes(answer.status)
      const left = (untilMs - this.#source.nowMs()) / 1000
      // While it was asked for, its time may have run out.
      if (!isGone || left <= 0) continue
      const seen = `${uri}: status ${answer.status}, ${left.toFixed(1)} s too early`
      this.#source.report([{ rule: 'segment-gone-early', seen }])
    }
  }

  async #check(wanted: Wanted): Promise<void> {
    const { segment, base, playlist } = wanted
    const { http, report } = this.#source
    const tell: Tell = (findings) => {
      report(findings.map((finding) => ({ ...finding, seen: `${segment.uri}: ${finding.seen}`, line: segment.line })))
    }
    const url = resolveUrl(segment.uri, base)
    if (url === undefined) return
    const span = spanOf(wanted)
    const range = span === undefined ? {} : { range: `bytes=${span.from}-${span.to - 1}` }
    const headers = { 'accept-encoding': 'identity', ...range }
    const answer = await http.get(url, { maxBytes: MAX_SEGMENT_BYTES, headers })
    if ('failure' in answer) {
      tell([{ rule: 'segment-not-served', seen: answer.failure }])
      return
    }
    const findings = checkResponse(answer, span)
    tell(findings)
    if (findings.some(({ rule }) => rule === 'segment-not-served' || rule === 'byterange-short')) return
    this.read++
    const bytes = bodyOf(answer, span)
    this.bitrates.push(segment.byteRange?.length ?? bytes.length, segment.seconds ?? 0, playlist.targetSeconds ?? 0)
    if (answer.isCut) return
    const clear = await this.#decrypted(wanted, bytes, tell)
    if (clear !== undefined) await this.#checkMedia(wanted, clear, tell)
  }

  /** Undefined: it cannot be read. */
  async #decrypted({ segment, base, playlist, offset }: Wanted, bytes: Uint8Array, tell: Tell) {
    const { key, byteRange, sequence } = segment
    if (key === undefined || key.method === 'NONE') return bytes
    const secret = isDecryptable(key) ? await this.#sections.key(key, base) : undefined
    if (secret === undefined) return undefined
    const iv = ivOf(key, sequence)
    if (playlist.isIFramesOnly && byteRange !== undefined) {
      return decryptRange({ offset, length: byteRange.length, bytes, iv }, secret)
    }
    const clear = decryptSegment(bytes, secret, iv)
    if (typeof clear !== 'string') return clear
    tell([{ rule: 'segment-decrypt', seen: clear }])
    return undefined
  }

  async #checkMedia({ segment, base, playlist }: Wanted, bytes: Uint8Array, tell: Tell): Promise<void> {
    const isTs = bytes[0] === TS_SYNC_BYTE || /\.(ts|m2ts)$/i.test(segment.uri.split('?', 1)[0] ?? '')
    if (!isTs) return
    const { areIndependent, declared } = this.#source
    const context = {
      areIndependent: areIndependent || playlist.areIndependent,
      isIFramesOnly: playlist.isIFramesOnly,
      ...declared,
      init: segment.map && (await this.#sections.init(segment.map, base)),
    }
    tell(this.#watch.push(segment, bytes, context))
  }
}

/** The bytes that are asked for; undefined: all. Of an encrypted I-frame, whole blocks and the one in front. */
function spanOf({ segment, playlist, offset }: Wanted): Blocks | undefined {
  const { byteRange, key } = segment
  if (byteRange === undefined) return undefined
  if (playlist.isIFramesOnly && isDecryptable(key)) return blocksOf(offset, byteRange.length)
  return { from: offset, to: offset + byteRange.length }
}

function checkResponse(answer: HttpAnswer, span: Blocks | undefined): readonly Finding[] {
  const { status, isCut } = answer
  if (span !== undefined && status === 416) return [{ rule: 'byterange-short', seen: 'status 416' }]
  const findings = checkSegmentResponse(answer)
  if (span === undefined || status < 200 || status > 299 || isCut) return findings
  const [got, wanted] = [bodyOf(answer, span).length, span.to - span.from]
  return got < wanted ? [...findings, { rule: 'byterange-short', seen: `${got} of ${wanted} bytes` }] : findings
}

/** A server may answer with the whole resource. */
function bodyOf({ bytes, status }: HttpAnswer, span: Blocks | undefined): Uint8Array {
  if (span === undefined || status === 206) return bytes
  return bytes.subarray(span.from, span.to)
}

/** A byte range without an offset begins where the one before it ends. */
function offsetsOf(segments: readonly Segment[]): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>()
  let end = 0
  for (const { sequence, byteRange } of segments) {
    const offset = byteRange?.offset ?? (byteRange === undefined ? 0 : end)
    offsets.set(sequence, offset)
    end = offset + (byteRange?.length ?? 0)
  }
  return offsets
}

// The segments of days, on a disk: the same files as those of `store` where they are on one disk. Old ones are removed by
// age and by size, ten minutes at a time. In memory there is one number for each ten minutes; a time that is asked for is
// read from the indexes.
import type { KeptMedia, MediaFolder } from '@millrace/engine/plugin'
import { DiskWriter, type WriteJob } from '../history/disk-writer.js'
import { IndexLines, type WrittenRanges } from '../history/index-lines.js'
import type { LongEntry, LongLife } from '../history/long-list.js'
import { INDEX_FILE, periodOf, timesOf } from '../history/period.js'
import { noteRange, readIndex, readPeriods } from '../history/read-period.js'
import { parseRecord, type SegmentRecord } from '../history/segment-record.js'
import type { SpliceRange } from '../playlist/splice-range.js'
import type { SegmentMedia } from '../playlist/segment-list.js'
import { initName } from '../segment/init-section.js'
import type { AskedTime } from './time-query.js'

export interface ArchiveHost {
  readonly folder: MediaFolder
  /** Where the same files may be already. */
  readonly store: MediaFolder | undefined
  readonly ranges: WrittenRanges
  readonly keepMs: number
  /** Undefined: no limit. */
  readonly sizeBytes: number | undefined
  nowMs(): number
  wallMs(monotonicMs: number): number
  initOf(name: string): Uint8Array | undefined
  onProblem(problem: string | undefined): void
}

const PERIOD_MS = 600_000
const TICKS_PER_MS = 90
/** A clock that is wrong when the engine starts must not cost the archive: it has this long to be set. */
const TRUST_AFTER_MS = 600_000
const PRUNE_EVERY_MS = 10_000
/** Of the end of an index, which has the last line. */
const TAIL_BYTES = 64 * 1024
/** Initialisation sections that were named last. */
const MOST_INITS = 256

/** What there is of a time that is asked for. */
export interface ArchivedTime {
  readonly segments: readonly SegmentRecord[]
  /** Date ranges, and maybe some of other times. */
  readonly ranges: readonly SpliceRange[]
}

export class Archive {
  readonly #host: ArchiveHost
  readonly #writer: DiskWriter
  readonly #lines: IndexLines
  /** Bytes by period, oldest first. */
  readonly #periods = new Map<string, number>()
  readonly #inits = new Map<string, Uint8Array>()
  readonly #startedMs: number
  #prunedMs = -Infinity
  #isPruning = false
  #isOpen = false

  constructor(host: ArchiveHost) {
    this.#host = host
    this.#startedMs = host.nowMs()
    this.#lines = new IndexLines((name) => host.initOf(name), host.ranges)
    this.#writer = new DiskWriter({
      get folder() {
        return host.folder
      },
      get source() {
        return host.store
      },
      nowMs: () => host.nowMs(),
      prepare: () => this.#findPeriods(),
      onProblem: (problem) => host.onProblem(problem),
    })
  }

  /** Finds what an earlier process has left, or tells why it cannot, and tries again with each tick. Never rejects. */
  open(): Promise<void> {
    return this.#writer.settled()
  }

  get bytes(): number {
    return [...this.#periods.values()].reduce((sum, each) => sum + each, 0)
  }

  /** The newest text of the multivariant playlist. */
  set multivariant(text: string) {
    this.#lines.multivariant = text
  }

  /** Segments that wait for the disk. */
  get waiting(): number {
    return this.#writer.waiting
  }

  /** Holds the media until it is written. */
  add(life: LongLife, entry: LongEntry, files: WriteJob['files']): void {
    const period = periodOf(entry.dateMs)
    const lines = this.#lines.segment(period, life, entry)
    const added = files.reduce((sum, { media }) => sum + media.length, 0)
    const onStored = (): void => void this.#periods.set(period, (this.#periods.get(period) ?? 0) + added)
    const held = files.map((file) => ({ ...file, media: file.media.hold() }))
    this.#writer.add({ sequence: entry.sequence, period, files: held, ...lines, onStored })
  }

  /** Memory is needed. False: nothing that waits for the disk would free it. */
  giveUpWaiting(): boolean {
    return this.#writer.loseOldest() !== undefined
  }

  /** Call it a few times a second. */
  tick(): void {
    this.#writer.tick()
    const nowMs = this.#host.nowMs()
    if (this.#isPruning || nowMs - this.#prunedMs < PRUNE_EVERY_MS) return
    this.#prunedMs = nowMs
    const oldest = this.#oldestToRemove(nowMs)
    if (oldest === undefined) return
    this.#isPruning = true
    const done = (): void => void (this.#isPruning = false)
    this.#host.folder.remove(oldest).then(() => {
      this.#periods.delete(oldest)
      // As fast as the disk allows, until there is nothing left to remove.
      this.#prunedMs = -Infinity
      done()
    }, done)
  }

  /** What there is of that time. Rejects as the folder does. */
  async read({ startMs, durationMs }: AskedTime): Promise<ArchivedTime> {
    const endMs = startMs + durationMs
    const segments: SegmentRecord[] = []
    const ranges = new Map<string, SpliceRange>()
    for (const period of this.#between(startMs, endMs)) {
      for (const found of await readIndex(this.#host.folder, period)) {
        if (found.kind === 'init') this.#noteInit(Buffer.from(found.bytes, 'base64'))
        else if (found.kind === 'segment' && isIn(found, startMs, endMs)) segments.push(found)
        else if (found.kind === 'range') noteRange(ranges, found)
      }
    }
    return { segments, ranges: [...ranges.values()] }
  }

  /** The newest of that time; undefined if there is nothing of it. Reads no more than it needs. Rejects as the folder does. */
  async readMultivariant({ startMs, durationMs }: AskedTime): Promise<string | undefined> {
    const endMs = startMs + durationMs
    let newest: string | undefined
    let hasSegments = false
    for (const period of this.#between(startMs, endMs).toReversed()) {
      const records = await readIndex(this.#host.folder, period)
      newest ??= records.findLast((found) => found.kind === 'multivariant')?.text
      hasSegments ||= records.some((found) => found.kind === 'segment' && isIn(found, startMs, endMs))
      if (newest !== undefined && hasSegments) return newest
    }
    return undefined
  }

  get keepMs(): number {
    return this.#host.keepMs
  }

  hasPeriod(period: string): boolean {
    return this.#periods.has(period)
  }

  /** Undefined: there is none. Rejects as the folder does. */
  indexBytes(period: string): Promise<number | undefined> {
    return this.#host.folder.size(`${period}/${INDEX_FILE}`)
  }

  /** Of the keys that its segments need. Rejects as the folder does. */
  async keyIds(period: string): Promise<ReadonlySet<string>> {
    const ids = new Set<string>()
    for (const found of await readIndex(this.#host.folder, period)) {
      if (found.kind !== 'segment') continue
      for (const { key } of Object.values(found.media as Record<string, Pick<SegmentMedia, 'key'>>)) {
        if (typeof key?.id === 'string') ids.add(key.id)
      }
    }
    return ids
  }

  /** A segment, by its path in the folder; undefined if it is not there. Rejects as the folder does. */
  async media(path: string): Promise<KeptMedia | undefined> {
    const length = await this.#host.folder.size(path)
    return length === undefined ? undefined : this.#host.folder.media(path, length)
  }

  /** An initialisation section of what was read lately. */
  init(name: string): Uint8Array | undefined {
    return this.#inits.get(name)
  }

  /** Resolves when all has been written, or the disk refuses it. Never rejects. */
  settled(): Promise<void> {
    return this.#writer.settled()
  }

  /** Another node runs it: it hears of a disk that refuses segments. */
  tellAgain(): void {
    this.#writer.tellAgain()
  }

  close(): void {
    this.#writer.close()
  }

  /** Nothing is written before: all that is found is of an earlier process. */
  async #findPeriods(): Promise<void> {
    const { folder } = this.#host
    const found: [string, number][] = []
    for (const period of await readPeriods(folder)) found.push([period, await totalOf(folder, period)])
    for (const [period, bytes] of found) {
      this.#lines.goOn(period, bytes)
      this.#periods.set(period, bytes)
    }
    this.#isOpen = true
  }

  /** Names of periods with segments of that time, oldest first: one may have begun in the period before. */
  #between(startMs: number, endMs: number): readonly string[] {
    if (!this.#isOpen) throw new Error('the folder of the archive has not been read')
    const [from, to] = [periodOf(Math.max(0, startMs - PERIOD_MS)), periodOf(endMs)]
    return [...this.#periods.keys()].filter((period) => period >= from && period <= to).toSorted()
  }

  #oldestToRemove(nowMs: number): string | undefined {
    const { keepMs, sizeBytes = Infinity } = this.#host
    const [oldest, ...more] = [...this.#periods.keys()].toSorted()
    if (oldest === undefined || more.length === 0) return undefined
    if (this.bytes > sizeBytes) return oldest
    const isTrusted = nowMs - this.#startedMs >= TRUST_AFTER_MS
    return isTrusted && timesOf(oldest)!.toMs < this.#host.wallMs(nowMs) - keepMs ? oldest : undefined
  }

  #noteInit(bytes: Uint8Array): void {
    const name = initName(bytes)
    this.#inits.delete(name)
    this.#inits.set(name, bytes)
    if (this.#inits.size > MOST_INITS) this.#inits.delete(this.#inits.keys().next().value!)
  }
}

function isIn({ dateMs, ticks }: SegmentRecord, startMs: number, endMs: number): boolean {
  return dateMs < endMs && dateMs + ticks / TICKS_PER_MS > startMs
}

/** What the last line of its index says of the folder. */
async function totalOf(folder: MediaFolder, period: string): Promise<number> {
  const name = `${period}/${INDEX_FILE}`
  const size = (await folder.size(name)) ?? 0
  const bytes = await folder.read(name, Math.max(0, size - TAIL_BYTES), TAIL_BYTES)
  for (const line of new TextDecoder().decode(bytes).split('\n').toReversed()) {
    const found = parseRecord(line)
    if (found?.kind === 'segment') return found.total
  }
  return 0
}

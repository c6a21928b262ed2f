// One live path: its window and its viewers. Viewers read the window; the route notifies them of each new entry, starts
// the waiting ones, and checks all of them once a second.
import type { Duplex } from 'node:stream'
import { inSlices } from '../audience/in-slices.js'
import type { StreamAnswer, Visit } from '../listen/stream-handler.js'
import { DELAY_BOUNDS_SECONDS, Histogram } from '../observe/histogram.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { FanOut } from './fan-out.js'
import type { Denial } from '../access/authorize.js'
import type { Admission, AuthorizedRoute } from './authorized-handler.js'
import { LiveHeader } from './live-header.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions } from '../plugin/live-route.js'
import { LiveWindow, type WindowEntry } from './live-window.js'
import type { RoutePath } from './route-paths.js'
import { RouteRefusals } from './route-refusals.js'
import { SkipReport } from './skip-report.js'
import { type SourceView, UNKNOWN_SOURCE } from './source-view.js'
import type { TurnQueue } from './turn-queue.js'
import type { OutputAudience } from '../audience/output-audience.js'
import type { AudienceCounters, Refusal } from '../plugin/audience.js'
import { arrivalOf, whoOf } from './arrival.js'
import { Viewer, type ViewerHost } from './viewer.js'

/** A source silent for this long counts as absent: viewers can no longer start from the window. */
const ABSENT_AFTER_MS = 3000
/** A source silent for this long is filled in for, where the output says with what. */
const FILL_AFTER_MS = 900
/** A viewer that took nothing for this long no longer holds back a source that can wait. */
const READS_WITHIN_MS = 15_000

const NO_HEAD = Buffer.alloc(0)
const ENDED: Refusal = { refused: 'ended', status: 503 }

export interface RouteContext {
  readonly clock: Clock
  readonly log: Logger
  /** Starts viewers, a limited number in each turn of the event loop. */
  readonly joins: TurnQueue<() => void>
  /** Of the output that has the route now. */
  audience(): OutputAudience
}

export class ServedRoute implements LiveRoute, AuthorizedRoute, ViewerHost {
  readonly window: LiveWindow
  readonly readers: FanOut
  /** Seconds from the end of a request head to the first byte of the response. */
  readonly startDelay = new Histogram(DELAY_BOUNDS_SECONDS)
  /** Seconds from arrival at the input to the write, for viewers that are not behind; once per entry. */
  readonly latency = new Histogram(DELAY_BOUNDS_SECONDS)
  onCaughtUp: (() => void) | undefined
  /** Set by the lease. */
  source: SourceView = UNKNOWN_SOURCE
  readonly #context: RouteContext
  readonly #viewers = new Set<Viewer>()
  /** Viewers for which the window has no start entry yet. */
  readonly #waiting = new Set<Viewer>()
  /** Viewers that wait for `drain`. */
  readonly #busy = new Set<Viewer>()
  readonly #skipReport = new SkipReport()
  readonly #header: LiveHeader
  readonly #refusals: RouteRefusals
  readonly #drainWaiters: (() => void)[] = []
  #options: LiveRouteOptions
  readonly #openedAtMs: number
  #lastPushMs = -Infinity
  #lastFillMs = -Infinity
  #isEnded = false
  #isDisposed = false
  #isCaughtUpScheduled = false
  /** Set by delivery: frees the path. */
  onDispose: () => void = () => {}

  constructor(options: LiveRouteOptions, context: RouteContext) {
    this.#options = options
    this.#context = context
    this.#openedAtMs = context.clock.nowMs()
    this.#header = new LiveHeader(context.clock, options)
    this.#refusals = new RouteRefusals(this.#header, context.clock, () => this.source.whyOffline())
    this.window = new LiveWindow(options.window, {
      isHeld: (from, to) => this.#isHeld(from, to),
      unreadFrom: () => this.#unreadFrom(),
    })
    this.readers = new FanOut({
      nowMs: () => context.clock.nowMs(),
      onSent: (bytes) => this.onSent(bytes),
      onRound: ({ receivedAtMs }, written, wasSliced) => {
        if (written) this.latency.observe((context.clock.nowMs() - receivedAtMs) / 1000)
        if (wasSliced) this.#scheduleCaughtUp()
      },
    })
  }

  get audience(): OutputAudience {
    return this.#context.audience()
  }

  get counters(): AudienceCounters {
    return this.audience.counters
  }

  get options(): LiveRouteOptions {
    return this.#options
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** A new viewer could start now. */
  get isOnline(): boolean {
    return this.#startEntry(this.#context.clock.nowMs()) !== undefined
  }

  get behindBytes(): number {
    const { pendingFrom } = this.readers
    let most = pendingFrom === undefined ? 0 : this.window.nextOffset - pendingFrom
    if (this.#busy.size === 0) return most
    const readsSince = this.#context.clock.nowMs() - READS_WITHIN_MS
    for (const viewer of this.#busy) {
      if (viewer.progressMs >= readsSince) most = Math.max(most, viewer.behindBytes)
    }
    return most
  }

  push(entry: LiveEntry): void {
    if (this.#isEnded) return
    const item = this.window.push(entry)
    this.#lastPushMs = this.#context.clock.nowMs()
    this.readers.push(item)
    if (this.#waiting.size > 0 && this.#isStart(item)) for (const viewer of this.#waiting) this.#queue(viewer)
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.readers.finish()
    for (const viewer of this.#waiting) this.#refuseWaiting(viewer, ENDED)
    for (const viewer of this.#viewers) if (viewer.state !== 'queued') viewer.endAfterWindow()
  }

  async drained(): Promise<void> {
    if (this.#viewers.size > 0) await new Promise<void>((resolve) => this.#drainWaiters.push(resolve))
  }

  update(options: LiveRouteOptions): void {
    this.#options = options
    this.#header.update(options)
    this.window.setBounds(options.window)
  }

  /** All viewers, including those that wait. */
  get viewers(): Iterable<Viewer> {
    return this.#viewers
  }

  /** Cuts all viewers with this reason. */
  cutAll(reason: string): void {
    for (const viewer of this.#viewers) viewer.cut(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true
      this.#isEnded = true
      this.onDispose()
      await inSlices(this.#viewers, (viewer) => viewer.cut('cut'))
    }
    await this.drained()
  }

  admit(socket: Duplex, visit: Visit, admission: Admission): void {
    const { audience } = this
    const who = whoOf(visit, admission)
    if (this.#isEnded) {
      admission.giveBack?.()
      audience.refuse(who, ENDED.refused, ENDED.status)
      return this.#refusals.send(socket, visit, this.#refusals.answerFor(ENDED))
    }
    const nowMs = this.#context.clock.nowMs()
    const viewer = new Viewer(socket, arrivalOf(visit, admission), nowMs, this)
    const session = audience.enter(who, viewer)
    if ('refused' in session) {
      admission.giveBack?.()
      return this.#refusals.send(viewer.release(), visit, this.#refusals.answerFor(session))
    }
    viewer.session = session
    this.#viewers.add(viewer)
    admission.routePath.viewers++
    if (this.#startEntry(nowMs) !== undefined) this.#queue(viewer)
    else if (this.#options.offline.waitForMs === 0) this.#refuseWaiting(viewer, this.#offline)
    else this.#waiting.add(viewer)
  }

  deny(socket: Duplex, visit: Visit, denial: Denial, admission: Admission): void {
    this.audience.refuse(whoOf(visit, admission), denial.reason, denial.status)
    this.#refusals.send(socket, visit, this.answerDenied(denial))
  }

  answerDenied(denial: Denial): StreamAnswer {
    return this.#refusals.answerDenied(denial)
  }

  /** While a viewer would wait for a start, the answer is that of a start in time. */
  answerHead(address: string, { listener }: RoutePath): StreamAnswer {
    const refusal = this.#isEnded ? ENDED : this.audience.refusalOf({ address, listener: listener.name })
    const reason = refusal ?? (this.isOnline || this.#mayStart ? undefined : this.#offline)
    return reason === undefined ? { status: 200, headers: this.#header.ofStream() } : this.#refusals.answerFor(reason)
  }

  onSent(bytes: number): void {
    this.counters.sentBytes += bytes
  }

  onSkip(viewer: Viewer, skippedBytes: number): void {
    const { counters } = this
    counters.skips++
    counters.skippedBytes += skippedBytes
    const { session, behindBytes, socket } = viewer
    this.#skipReport.add({
      client: session?.who.client ?? '',
      skippedBytes,
      behindBytes: behindBytes + skippedBytes,
      heldBytes: socket.writableLength,
    })
  }

  onBusy(viewer: Viewer): void {
    this.#busy.add(viewer)
  }

  onDrain(viewer: Viewer): void {
    if (!viewer.isBusy) this.#busy.delete(viewer)
    this.#scheduleCaughtUp()
  }

  onClose(viewer: Viewer): void {
    this.#remove(viewer)
    if (!viewer.hasBegun) viewer.arrival.giveBack?.()
    // The connection under an HTTP/2 stream may stay open and still hold bytes that the stream passed to it.
    if (viewer.arrival.respond !== undefined && !viewer.socket.writableFinished) this.window.forbidReuse()
    viewer.session?.end(viewer.reason)
  }

  /** Called by delivery once a second. */
  sweep(nowMs: number): void {
    this.#skipReport.flush(this.#context.log, this.#options.id)
    const silentMs = nowMs - this.#lastPushMs
    const { waitForMs, fill } = this.#options.offline
    if (fill !== undefined && silentMs >= FILL_AFTER_MS) this.#fill(fill, nowMs)
    for (const viewer of this.#waiting)
      if (nowMs - viewer.arrival.headAtMs >= waitForMs) this.#refuseWaiting(viewer, this.#offline)
    for (const viewer of this.#viewers) {
      if (viewer.state !== 'waiting' && viewer.state !== 'queued') this.#sweepReader(viewer, nowMs, silentMs)
    }
    this.#scheduleCaughtUp()
  }

  /** For players that give up on a silent connection; nobody starts here, and the source stays absent. */
  #fill(bytes: Uint8Array, nowMs: number): void {
    if (this.#isEnded || nowMs - this.#lastFillMs < FILL_AFTER_MS || this.#viewers.size <= this.#waiting.size) return
    this.#lastFillMs = nowMs
    this.readers.push(this.window.push({ bytes, receivedAtMs: nowMs }))
  }

  #sweepReader(viewer: Viewer, nowMs: number, silentMs: number): void {
    const hasLingered = viewer.measure(nowMs)
    if (hasLingered) viewer.cut('left')
    else if (nowMs - viewer.progressMs >= this.#options.stallTimeoutMs) viewer.cut('stalled')
    else if (viewer.isOverrun && this.#options.slow === 'disconnect') viewer.cut('slow')
    else if (silentMs >= this.#options.offline.endAfterMs) viewer.finish('offline')
    // Only the next write shows whether a client that has closed its side still listens. Without a write it counts as
    // gone, so clients that left during an outage don't keep others out.
    else if (viewer.socket.readableEnded && silentMs >= ABSENT_AFTER_MS) viewer.finish('left')
  }

  newestStart(sinceMs = -Infinity): WindowEntry | undefined {
    const { start, burstMs } = this.#options
    if (start === 'burst') return this.window.startBefore(burstMs, sinceMs)
    const entry = this.window.newestStart(start === 'keyframe')
    return entry !== undefined && entry.receivedAtMs >= sinceMs ? entry : undefined
  }

  /** The entry at which a new viewer starts; undefined while the source is absent, and until it can start after a loss. */
  #startEntry(nowMs: number): WindowEntry | undefined {
    if (this.#isEnded || nowMs - this.#lastPushMs >= ABSENT_AFTER_MS) return undefined
    return this.newestStart(this.source.lostAtMs())
  }

  #isStart(entry: WindowEntry): boolean {
    return entry.join !== undefined && (this.#options.start === 'now' || entry.join.keyframe)
  }

  #queue(viewer: Viewer): void {
    viewer.state = 'queued'
    this.#waiting.delete(viewer)
    this.#context.joins.add(() => this.#start(viewer))
  }

  #start(viewer: Viewer): void {
    if (viewer.state !== 'queued') return
    const nowMs = this.#context.clock.nowMs()
    // A viewer admitted before the end still receives what the window holds.
    const entry = this.#isEnded ? this.newestStart() : this.#startEntry(nowMs)
    if (entry === undefined) {
      viewer.state = 'waiting'
      if (this.#isEnded) this.#refuseWaiting(viewer, ENDED)
      else this.#waiting.add(viewer)
      return
    }
    const { respond, headAtMs } = viewer.arrival
    respond?.(200, this.#header.ofStream())
    viewer.start(respond === undefined ? this.#header.render() : NO_HEAD, entry)
    this.startDelay.observe((this.#context.clock.nowMs() - headAtMs) / 1000)
  }

  #isHeld(from: number, to: number): boolean {
    for (const viewer of this.#viewers) if (viewer.mayHold(from, to)) return true
    return false
  }

  /** Viewers that do not wait for `drain` have read everything, unless a round of the fan-out is in progress. */
  #unreadFrom(): number {
    let from = this.readers.pendingFrom ?? Infinity
    for (const viewer of this.#busy) from = Math.min(from, viewer.unreadFrom)
    return from
  }

  answerPreflight(asked: string | undefined): StreamAnswer | undefined {
    const headers = this.#header.ofPreflight(asked)
    return headers === undefined ? undefined : { status: 204, headers }
  }

  /** The source was there, or the route opened, not longer ago than a viewer waits. */
  get #mayStart(): boolean {
    const { waitForMs } = this.#options.offline
    return this.#context.clock.nowMs() - Math.max(this.#lastPushMs, this.#openedAtMs) < waitForMs
  }

  get #offline(): Refusal {
    return { refused: 'offline', status: this.#options.offline.status }
  }

  /** Refuses an admitted viewer that has received nothing. */
  #refuseWaiting(viewer: Viewer, refusal: Refusal): void {
    this.#remove(viewer)
    viewer.arrival.giveBack?.()
    viewer.session?.end(refusal.refused, refusal.status)
    this.#refusals.send(viewer.release(), viewer.arrival, this.#refusals.answerFor(refusal))
  }

  #remove(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return
    this.#waiting.delete(viewer)
    this.#busy.delete(viewer)
    viewer.arrival.routePath.viewers--
    this.#scheduleCaughtUp()
    if (this.#viewers.size === 0) for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  #scheduleCaughtUp(): void {
    if (this.#isCaughtUpScheduled || this.onCaughtUp === undefined) return
    this.#isCaughtUpScheduled = true
    setImmediate(() => {
      this.#isCaughtUpScheduled = false
      this.onCaughtUp?.()
    })
  }
}

// One live path: its window, its viewers, and who may come in. Viewers read the window; the route tells them of each new
// entry, starts those that wait, and looks after all of them once a second.
import type { Socket } from 'node:net'
import type { LiveDoor, Visit } from '../listen/live-door.js'
import { endSocket, renderResponseHead } from '../listen/raw-response.js'
import { DELAY_BOUNDS_SECONDS, Histogram } from '../observe/histogram.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { LiveHeader } from './live-header.js'
import type { LiveEntry, LiveRoute, LiveRouteOptions, RouteCounters } from './live-route.js'
import { LiveWindow, type WindowEntry } from './live-window.js'
import { SkipReport } from './skip-report.js'
import type { TurnQueue } from './turn-queue.js'
import { Viewer, type ViewerHost } from './viewer.js'

/** A source that was silent for this long is taken as absent: what is in the window is no place to start any more. */
export const ABSENT_AFTER_MS = 3000
/** A viewer that took nothing for this long does not hold back a source that can wait. */
const READS_WITHIN_MS = 15_000

export interface RouteSurroundings {
  readonly clock: Clock
  readonly log: Logger
  /** Starts viewers, a limited number in each turn of the event loop. */
  readonly joins: TurnQueue<() => void>
  /** Why no new viewer of any route is taken; undefined if one is. */
  refusal(): string | undefined
  /** A viewer has come (1) or gone (-1). */
  onClients(change: number): void
}

export class ServedRoute implements LiveRoute, LiveDoor, ViewerHost {
  readonly window: LiveWindow
  readonly counters: RouteCounters = {
    clients: 0,
    connects: 0,
    sentBytes: 0,
    refused: new Map(),
    ended: new Map(),
    skips: 0,
    skippedBytes: 0,
  }
  /** Seconds from the end of a request head to the first byte of the response. */
  readonly startDelay = new Histogram(DELAY_BOUNDS_SECONDS)
  /** Seconds from arrival at the input to the write, for viewers who are not behind; once per entry. */
  readonly latency = new Histogram(DELAY_BOUNDS_SECONDS)
  onCaughtUp: (() => void) | undefined
  readonly #around: RouteSurroundings
  readonly #viewers = new Set<Viewer>()
  /** Those who get each new entry; a part of #viewers. */
  readonly #readers = new Set<Viewer>()
  /** Those who wait for `drain`; a part of #readers. */
  readonly #busy = new Set<Viewer>()
  readonly #skipReport = new SkipReport()
  readonly #header: LiveHeader
  readonly #whenGone: (() => void)[] = []
  #options: LiveRouteOptions
  #lastPushMs = -Infinity
  #isEnded = false
  #isDisposed = false
  #willCallBack = false
  /** Set by delivery: gives the path back. */
  onDispose: () => void = () => {}

  constructor(options: LiveRouteOptions, around: RouteSurroundings) {
    this.#options = options
    this.#around = around
    this.#header = new LiveHeader(around.clock, options)
    this.window = new LiveWindow(options.window)
  }

  get options(): LiveRouteOptions {
    return this.#options
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** A new viewer could start now. */
  get isOnline(): boolean {
    return this.#place(this.#around.clock.nowMs()) !== undefined
  }

  get behindBytes(): number {
    if (this.#busy.size === 0) return 0
    const readsSince = this.#around.clock.nowMs() - READS_WITHIN_MS
    let most = 0
    for (const viewer of this.#busy) {
      if (viewer.progressMs >= readsSince) most = Math.max(most, viewer.behindBytes)
    }
    return most
  }

  push(entry: LiveEntry): void {
    if (this.#isEnded) return
    const item = this.window.push(entry)
    this.#lastPushMs = this.#around.clock.nowMs()
    let isWritten = false
    for (const viewer of this.#readers) isWritten = viewer.take(item) || isWritten
    if (isWritten) this.latency.observe((this.#around.clock.nowMs() - entry.receivedAtMs) / 1000)
    if (this.#isStart(item) && this.#viewers.size > this.#readers.size) this.#queueWaiting()
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const viewer of this.#viewers) {
      if (viewer.state === 'waiting') this.#turnAway(viewer, 'ended')
      else if (viewer.state !== 'queued') viewer.endAfterWindow()
    }
  }

  async drained(): Promise<void> {
    if (this.#viewers.size > 0) await new Promise<void>((resolve) => this.#whenGone.push(resolve))
  }

  update(options: LiveRouteOptions): void {
    this.#options = options
    this.#header.update(options)
    this.window.setBounds(options.window)
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
      this.cutAll('cut')
    }
    await this.drained()
  }

  serve(socket: Socket, visit: Visit): void {
    const reason = this.#refusal()
    if (reason !== undefined) return this.#refuse(socket, reason, 503)
    const nowMs = this.#around.clock.nowMs()
    const viewer = new Viewer(socket, visit.client, visit.headAtMs, nowMs, this)
    this.#viewers.add(viewer)
    this.counters.connects++
    this.#countClients(1)
    if (this.#place(nowMs) !== undefined) this.#queue(viewer)
    else if (this.#isEnded || this.#options.offline.waitForMs === 0) this.#turnAway(viewer, 'offline')
  }

  head(): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
    if (this.#refusal() !== undefined) return { status: 503, headers: this.#header.ofRefusal() }
    if (!this.isOnline) return { status: this.#options.offline.status, headers: this.#header.ofRefusal() }
    return { status: 200, headers: this.#header.ofStream() }
  }

  onSent(bytes: number): void {
    this.counters.sentBytes += bytes
  }

  onSkip(viewer: Viewer, skippedBytes: number): void {
    this.counters.skips++
    this.counters.skippedBytes += skippedBytes
    this.#skipReport.add(viewer.client, skippedBytes)
  }

  onBusy(viewer: Viewer): void {
    this.#busy.add(viewer)
  }

  onReadOn(viewer: Viewer): void {
    if (!viewer.isBusy) this.#busy.delete(viewer)
    this.#callBackSoon()
  }

  onClose(viewer: Viewer): void {
    this.#forget(viewer)
    const { client, reason, handedBytes: bytes, skips, skippedBytes } = viewer
    count(this.counters.ended, reason)
    const durationMs = Math.round(this.#around.clock.nowMs() - viewer.arrivedMs)
    const { id: node, path } = this.#options
    this.#around.log.info(
      { node, client, path, bytes, durationMs, skips, skippedBytes, reason },
      `viewer ${client} of ${path}: ${reason}`,
    )
  }

  /** Called by delivery once a second. */
  sweep(nowMs: number): void {
    this.#skipReport.flush(this.#around.log, this.#options.id)
    const silentMs = nowMs - this.#lastPushMs
    for (const viewer of this.#viewers) {
      if (viewer.state === 'waiting') this.#sweepWaiting(viewer, nowMs)
      else if (viewer.state !== 'queued') this.#sweepReader(viewer, nowMs, silentMs)
    }
    this.#callBackSoon()
  }

  #sweepWaiting(viewer: Viewer, nowMs: number): void {
    if (nowMs - viewer.arrivedMs >= this.#options.offline.waitForMs) this.#turnAway(viewer, 'offline')
  }

  #sweepReader(viewer: Viewer, nowMs: number, silentMs: number): void {
    const hasLingered = viewer.measure(nowMs)
    if (hasLingered) viewer.cut('left')
    else if (nowMs - viewer.progressMs >= this.#options.stallTimeoutMs) viewer.cut('stalled')
    else if (viewer.isLapped && this.#options.slow === 'disconnect') viewer.cut('slow')
    else if (silentMs >= this.#options.offline.endAfterMs) viewer.finish('offline')
    // Whether a client that has closed its side still listens shows at the next write. Without one it is taken as gone,
    // so that clients who left during an outage don't keep others out.
    else if (viewer.socket.readableEnded && silentMs >= ABSENT_AFTER_MS) viewer.finish('left')
  }

  /** The entry at which a new viewer starts; undefined while the source is absent. */
  #place(nowMs: number): WindowEntry | undefined {
    if (this.#isEnded || nowMs - this.#lastPushMs >= ABSENT_AFTER_MS) return undefined
    return this.window.newestStart(this.#options.start === 'keyframe')
  }

  #isStart(entry: WindowEntry): boolean {
    return entry.join !== undefined && (this.#options.start === 'now' || entry.join.keyframe)
  }

  #queueWaiting(): void {
    for (const viewer of this.#viewers) {
      if (viewer.state === 'waiting') this.#queue(viewer)
    }
  }

  #queue(viewer: Viewer): void {
    viewer.state = 'queued'
    this.#around.joins.add(() => this.#start(viewer))
  }

  #start(viewer: Viewer): void {
    if (viewer.state !== 'queued') return
    const nowMs = this.#around.clock.nowMs()
    // Who came before the end still gets what the window holds.
    const entry = this.#isEnded ? this.window.newestStart(this.#options.start === 'keyframe') : this.#place(nowMs)
    if (entry === undefined) {
      viewer.state = 'waiting'
      if (this.#isEnded) this.#turnAway(viewer, 'ended')
      return
    }
    this.#readers.add(viewer)
    viewer.start(this.#header.render(), entry)
    this.startDelay.observe((this.#around.clock.nowMs() - viewer.headAtMs) / 1000)
  }

  #refusal(): string | undefined {
    if (this.#isEnded) return 'ended'
    const { maxClients } = this.#options
    if (maxClients > 0 && this.#viewers.size >= maxClients) return 'max-clients'
    return this.#around.refusal()
  }

  /** A viewer for whom there was nothing. */
  #turnAway(viewer: Viewer, reason: string): void {
    this.#forget(viewer)
    this.#refuse(viewer.release(), reason, reason === 'offline' ? this.#options.offline.status : 503)
  }

  #refuse(socket: Socket, reason: string, status: number): void {
    count(this.counters.refused, reason)
    endSocket(socket, renderResponseHead(status, this.#header.ofRefusal()), this.#around.clock)
  }

  #forget(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return
    this.#readers.delete(viewer)
    this.#busy.delete(viewer)
    this.#countClients(-1)
    this.#callBackSoon()
    if (this.#viewers.size === 0) for (const resolve of this.#whenGone.splice(0)) resolve()
  }

  #countClients(change: number): void {
    this.counters.clients += change
    this.#around.onClients(change)
  }

  #callBackSoon(): void {
    if (this.#willCallBack || this.onCaughtUp === undefined) return
    this.#willCallBack = true
    setImmediate(() => {
      this.#willCallBack = false
      this.onCaughtUp?.()
    })
  }
}

function count(counters: Map<string, number>, reason: string): void {
  counters.set(reason, (counters.get(reason) ?? 0) + 1)
}

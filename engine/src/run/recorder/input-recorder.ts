// Records one input: keeps its last seconds, and has them written to a file when something has happened and the seconds
// after it have come. What happens is looked for once a second, beside the data path.
import { join } from 'node:path'
import type { RecorderEvent, RecorderSettings } from '../../graph/graph.js'
import { nodeName, splitCopyName } from '../../graph/node-id.js'
import { messageOf } from '../../errors.js'
import type { EventLog } from '../../observe/events.js'
import type { RecorderStatus } from '../../observe/recorder-status.js'
import type { AnyChunk, Json } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'
import type { PortReader } from '../edge/port.js'
import { ChunkRing } from './chunk-ring.js'
import type { RecordingWriter } from './recording-writer.js'

/** What a recorder looks at in its input; a reload can put another one behind the port. */
export interface RecordedInput {
  readonly id: string
  readonly log: { info(data: object, text: string): void; warn(data: object, text: string): void }
  /** Failures of its source. */
  readonly restarts: number
  readonly state: string
  readonly syncLosses: number
}

export interface RecorderServices {
  readonly clock: Clock
  readonly events: Pick<EventLog, 'emit'>
  readonly writer: RecordingWriter
  readonly stateDir: string
}

interface Pending {
  readonly events: RecorderEvent[]
  readonly dueMs: number
  readonly file: string
}

export class InputRecorder implements PortReader {
  readonly #services: RecorderServices
  readonly #ring: ChunkRing
  #settings: RecorderSettings
  #input: RecordedInput
  #restarts: number
  #syncLosses: number
  /** No source is connected, and none is tried: it has failed for good, or its publisher has left. */
  #isGone: boolean
  /** Something has come since the last disconnect. */
  #hasNew = false
  #pending: Pending | undefined
  #isWriting = false
  #last: RecorderStatus['last']
  #failure: RecorderStatus['failure']
  /** Until then, events other than `manual` are part of the last file, or too close to it. */
  #quietUntilMs = -Infinity

  constructor(input: RecordedInput, settings: RecorderSettings, services: RecorderServices) {
    this.#services = services
    this.#settings = settings
    this.#input = input
    this.#restarts = input.restarts
    this.#syncLosses = input.syncLosses
    this.#isGone = isGone(input)
    this.#ring = new ChunkRing(limitsOf(settings))
  }

  push(chunk: AnyChunk): void {
    this.#hasNew = true
    this.#ring.push(chunk)
  }

  /** No more chunks come; what is kept can still be recorded. */
  complete(): void {}

  /** Called once a second, with the input and the settings as they are now. */
  sweep(input: RecordedInput, settings: RecorderSettings): void {
    if (settings !== this.#settings) {
      this.#settings = settings
      this.#ring.limits = limitsOf(settings)
    }
    // Another source has other counters.
    if (input === this.#input) this.#look(input)
    this.#input = input
    this.#restarts = input.restarts
    this.#syncLosses = input.syncLosses
    this.#isGone = isGone(input)
    const { clock } = this.#services
    // The memory of one recording at a time.
    const isDue = this.#pending !== undefined && clock.nowMs() >= this.#pending.dueMs && !this.#isWriting
    if (isDue && this.#pending !== undefined) this.#write(this.#pending)
  }

  /** What an operator asks for. Returns where the file will be, and when it is complete. */
  record(): Json {
    const { file, dueMs } = this.#note('manual')
    return { file, inSeconds: Math.max(0, Math.ceil((dueMs - this.#services.clock.nowMs()) / 1000)) }
  }

  status(): RecorderStatus {
    const { keepMs, afterMs, on } = this.#settings
    return {
      ...{ keepSeconds: keepMs / 1000, afterSeconds: afterMs / 1000, on },
      heldSeconds: Math.round(this.#ring.durationMs / 100) / 10,
      heldBytes: this.#ring.allocatedBytes,
      isWriting: this.#isWriting,
      ...(this.#pending === undefined ? {} : { pending: this.#pendingStatus(this.#pending) }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    }
  }

  #pendingStatus({ file, dueMs, events }: Pending): NonNullable<RecorderStatus['pending']> {
    return { file, at: this.#rfc3339(dueMs), on: events }
  }

  #rfc3339(monotonicMs: number): string {
    return new Date(this.#services.clock.wallMs(monotonicMs)).toISOString()
  }

  /** The input has left, or the engine ends: a file that waits is written now. */
  end(): void {
    if (this.#pending !== undefined) this.#write(this.#pending)
  }

  #look(input: RecordedInput): void {
    const { restarts, syncLosses } = input
    const { on } = this.#settings
    const hasDisconnected = restarts !== this.#restarts || (isGone(input) && !this.#isGone)
    // Each further attempt to connect fails too, and adds nothing.
    const isDisconnect = hasDisconnected && this.#hasNew
    if (hasDisconnected) this.#hasNew = false
    if (isDisconnect && on.includes('disconnect')) this.#noteUnlessQuiet('disconnect')
    if (syncLosses !== this.#syncLosses && on.includes('syncLoss')) this.#noteUnlessQuiet('syncLoss')
  }

  #noteUnlessQuiet(event: RecorderEvent): void {
    if (this.#pending !== undefined || this.#services.clock.nowMs() >= this.#quietUntilMs) this.#note(event)
  }

  #note(event: RecorderEvent): Pending {
    if (this.#pending !== undefined) {
      if (!this.#pending.events.includes(event)) this.#pending.events.push(event)
      return this.#pending
    }
    const nowMs = this.#services.clock.nowMs()
    this.#pending = { events: [event], dueMs: nowMs + this.#settings.afterMs, file: this.#fileOf(event, nowMs) }
    return this.#pending
  }

  #write(pending: Pending): void {
    const { clock, writer } = this.#services
    const { maxFiles, maxFileBytes, keepMs } = this.#settings
    this.#pending = undefined
    this.#quietUntilMs = clock.nowMs() + keepMs
    const stream = this.#ring.hold()
    const { bytes, durationMs } = stream
    if (bytes === 0) return stream[Symbol.dispose]()
    this.#isWriting = true
    const { file, events } = pending
    const seconds = Math.round(durationMs / 100) / 10
    const about = { file, on: events.join(', '), bytes, seconds }
    const at = this.#rfc3339(clock.nowMs())
    writer
      .write({ file, stream, maxFiles, maxFileBytes })
      .then(
        () => {
          this.#last = { file, at, on: events, bytes, seconds }
          this.#failure = undefined
          this.#report('saved', about)
        },
        (error: unknown) => {
          this.#failure = { file, at, why: messageOf(error) }
          this.#report('failed', { ...about, why: messageOf(error) })
        },
      )
      .finally(() => (this.#isWriting = false))
  }

  #report(result: 'saved' | 'failed', data: Readonly<Record<string, string | number>>): void {
    const { id, log } = this.#input
    if (result === 'saved') log.info(data, 'the last seconds of the stream were recorded')
    else log.warn(data, 'the last seconds of the stream could not be recorded')
    this.#services.events.emit({ kind: `recorder.${result}`, node: id, data })
  }

  /** All copies of a pattern pipeline share the folder of their input, so that its bounds hold for all of them. */
  #fileOf(event: RecorderEvent, nowMs: number): string {
    const { clock, stateDir } = this.#services
    const { id } = this.#input
    const { pipeline, stream } = splitCopyName(id)
    const time = new Date(clock.wallMs(nowMs)).toISOString().replaceAll(':', '-')
    // A key has at most 180 bytes, and no slash.
    const copy = stream === undefined ? '' : `-${stream}`
    const folder = this.#settings.path ?? join(stateDir, 'recordings')
    return join(folder, pipeline, nodeName(id), `${time}-${event}${copy}.ts`)
  }
}

function isGone({ state }: RecordedInput): boolean {
  return state === 'failed' || state === 'idle'
}

function limitsOf({ keepMs, afterMs, maxBytes }: RecorderSettings): ChunkRing['limits'] {
  return { keepMs: keepMs + afterMs, maxBytes }
}

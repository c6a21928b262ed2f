// For the tests of this folder: files in a temporary folder, and an engine that only records what it is given.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { ReloadControl } from '../observe/reload-report.js'
import { examplePlugins, pipelineWith } from '../config/example-config.test.js'
import { loadConfig } from '../config/load-config.js'
import type { LoadOptions } from '../config/load-config.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { Graph } from '../graph/graph.js'
import { createClock } from '../observe/clock.js'
import { EventLog } from '../observe/events.js'
import { MetricsRegistry } from '../observe/metrics-registry.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { FakeClock } from '../testing/fake-clock.js'
import { configId } from './config-id.js'
import { ConfigReader } from './config-reader.js'
import type { ConfigReading } from './config-reader.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { AppliedReload, ReloadTarget, RolledBack } from './reload-target.js'
import type { StartedLastGood, SupervisedEngine, Supervision, SuperviseSettings } from './supervise-config.js'
import { superviseConfig } from './supervise-config.js'

/** A pipeline that serves `path`. */
export function servingAt(path: string): string {
  return pipelineWith({
    transforms: 'gops: { type: gop, from: main }',
    outputs: `ts: { type: http-ts, from: gops, path: ${path} }`,
  })
}

export const MISTAKE = servingAt('/a').replace('from: main', 'from: mian')

export class TempFiles implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<TempFiles> {
    return new TempFiles(await mkdtemp(join(tmpdir(), 'millrace-reload-')))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /**
   * In place, and in one turn: only one step of a reading can come while the file is empty, and a snapshot, which compares
   * the size before, the length and the size after, then reads again.
   */
  async write(name: string, text: string): Promise<void> {
    writeFileSync(this.path(name), text)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

/** Records what is applied; a test can delay an apply, or make it fail. */
export class RecordingTarget implements ReloadTarget, SupervisedEngine {
  graph: Graph
  readonly applied: ReloadPlan[] = []
  /** Of each apply, whether it was forced. */
  readonly forced: boolean[] = []
  readonly log: Logger
  readonly clock = createClock()
  readonly events: EventLog
  readonly metrics = new MetricsRegistry()
  reloads: ReloadControl | undefined
  onRolledBack: ((what: RolledBack) => void) | undefined
  /** Awaited at the start of each apply. */
  held: () => Promise<void> = () => Promise.resolve()
  viewers = 0

  constructor(graph: Graph, log: Logger) {
    this.graph = graph
    this.log = log
    this.events = new EventLog(this.clock, log)
  }

  /** Each apply waits from now on: `begun` resolves when the first one does, `release` lets all go on. */
  hold(): { readonly begun: Promise<void>; release(): void } {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const begun = new Promise<void>((resolve) => {
      this.held = () => {
        resolve()
        return released
      }
    })
    return { begun, release }
  }

  viewersOf(node: string): number {
    return node === 'one/ts' ? this.viewers : 0
  }

  endingOf(): number {
    return 0
  }

  async apply(plan: ReloadPlan, next: Graph, isForced = false): Promise<AppliedReload> {
    await this.held()
    this.applied.push(plan)
    this.forced.push(isForced)
    this.graph = next
    return { viewersBefore: this.viewers, viewersLost: 0, cuts: [] }
  }
}

export interface Line {
  readonly level: number
  readonly msg: string
  readonly [key: string]: unknown
}

/** An engine whose files are supervised with real watches. */
export class Supervised implements AsyncDisposable {
  readonly files: TempFiles
  readonly engine: RecordingTarget
  readonly lines: Line[]
  readonly reader: ConfigReader
  readonly supervision: Supervision

  private constructor(files: TempFiles, lines: Line[], parts: Parts) {
    this.files = files
    this.lines = lines
    this.engine = parts.engine
    this.reader = parts.reader
    this.supervision = parts.supervision
  }

  /** Starts with a `live.yaml` of this text. */
  static async start(text: string, more: SuperviseMore = {}): Promise<Supervised> {
    const files = await TempFiles.make()
    await files.write('live.yaml', text)
    await more.prepare?.(files)
    const lines: Line[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) })
    const options: LoadOptions = { env: {}, plugins: examplePlugins, ...more.options?.(files) }
    const reader = new ConfigReader({ files: [files.path('live.yaml')], options, load: loadConfig })
    const reading = await reader.read(true)
    if (reading.graph === undefined) throw new Error(JSON.stringify(reading.diagnostics))
    const lastGood = more.lastGood === undefined ? undefined : await crashStart(reader, reading.graph, more.lastGood)
    const engine = new RecordingTarget(lastGood?.graph ?? reading.graph, log)
    const settings: SuperviseSettings = { engine, reader, reading, log, mask: new SecretMask(), stateDir: files.folder }
    const { watch, clock = watch === false ? new FakeClock() : createClock() } = more
    const supervision = superviseConfig({ ...settings, watch, clock, lastGood })
    return new Supervised(files, lines, { engine, reader, supervision })
  }

  get control(): ReloadControl {
    if (this.engine.reloads === undefined) throw new Error('the engine is not supervised')
    return this.engine.reloads
  }

  /** Kinds of events, oldest first. */
  events(): string[] {
    return this.engine.events.recent().map(({ kind }) => kind)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervision[Symbol.asyncDispose]()
    this.engine.clock[Symbol.dispose]()
    await this.files[Symbol.asyncDispose]()
  }
}

export interface SuperviseMore {
  readonly watch?: boolean
  /**
   * By default the time of the machine, and with `watch: false` one that stands still: nothing looks at the files then,
   * whose request could take the place of one that waits.
   */
  readonly clock?: Clock & Disposable
  /** The text that was started as the last good one, because what is on disk had crashed. */
  readonly lastGood?: string
  /** Called before anything is read. */
  prepare?(files: TempFiles): Promise<void>
  options?(files: TempFiles): Partial<LoadOptions>
}

interface Running {
  readonly graph: Graph
}

interface Parts {
  readonly engine: RecordingTarget
  readonly reader: ConfigReader
  readonly supervision: Supervision
}

async function crashStart(reader: ConfigReader, onDisk: Graph, text: string): Promise<StartedLastGood & Running> {
  const texts = new Map(reader.files.map((path) => [path, text]))
  const { graph } = await reader.load(reader.files, { ...reader.options, contents: texts })
  if (graph === undefined) throw new Error('the last good configuration has mistakes')
  return { graph, texts, reason: 'it crashed', diskId: configId(onDisk) }
}

/** Resolves when the condition holds; fails the test if it does not within a minute. */
export async function until(condition: () => boolean, what = String(condition)): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`still not true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export function textsOf(reading: ConfigReading): Record<string, string> {
  return Object.fromEntries(reading.texts)
}

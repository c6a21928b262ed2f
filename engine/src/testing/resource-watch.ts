// Sees what the code of a node opens: timers, sockets, servers, processes, watchers. It knows what is still open, names it
// by the line of the plugin that has opened it, and closes it, so that a test of a node that leaks ends.
import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { AsyncHook } from 'node:async_hooks'
import { dirname, sep } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isFileOf } from './callback-watch.js'

/** By the type of the asynchronous resource (node:async_hooks). */
const NAMES: Readonly<Record<string, string>> = {
  Timeout: 'a timer',
  TCPWRAP: 'a TCP connection',
  TCPSERVERWRAP: 'a TCP server',
  UDPWRAP: 'a UDP socket',
  PIPEWRAP: 'a pipe or unix socket',
  PIPESERVERWRAP: 'a unix server',
  PROCESSWRAP: 'a child process',
  FSEVENTWRAP: 'a file watcher',
  STATWATCHER: 'a file watcher',
  FILEHANDLE: 'an open file',
  MESSAGEPORT: 'a message port',
  SIGNALWRAP: 'a signal handler',
  WORKER: 'a worker',
}
/** A thread ends them, in its own time; a file that is being closed is one as well. */
const OF_THREADS: ReadonlySet<string> = new Set(['FILEHANDLE', 'WORKER', 'MESSAGEPORT'])
const FRAMES = 40
/** Turns of the event loop within which what was closed has to be gone; then steps, for what a thread ends. */
const SETTLE_TURNS = 1000
const SETTLE_STEPS = 200
const SETTLE_STEP_MS = 5
const RXJS_OPERATOR = /[\\/]rxjs[\\/].*[\\/](?:operators|observable)[\\/](\w+)\.js$/
/** `new Timeout`, then the public function: not a timer of Node's own. */
const PUBLIC_TIMER = /new Timeout .*\n\s*at (?:.*\b(?:setTimeout|setInterval)\b.*\(node:timers|node:timers\/promises)/
const PLACE = /(?:\(|at (?:async )?)((?:file:\/\/|\/)[^()]+):(\d+):\d+\)?$/
/** Of the engine, whose own code is never what has opened something. */
const ENGINE_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)))
const TEST_FILE = /\.test\.[cm]?[jt]s$/

const owner = new AsyncLocalStorage<ResourceWatch>()

/** What `init` of an asynchronous resource has seen; each handle has some of these. */
interface Handle {
  readonly pid?: number
  close?(): unknown
  kill?(signal: number): unknown
  stopThread?(): unknown
}

export interface OpenedResource {
  /** `a timer`. */
  readonly what: string
  /** `folder/file.js:12` of the plugin; of a dependency, or an operator of RxJS, if the plugin is not in the stack. */
  readonly where: string
  /** File of the code that has called Node; empty if that is not known. */
  readonly caller: string
}

interface Known extends OpenedResource {
  readonly type: string
  readonly handle: Handle
}

export class ResourceWatch implements Disposable {
  /** Timers that were set with Node's own functions, also those that have ended. */
  readonly timers: OpenedResource[] = []
  readonly #folder: string | undefined
  readonly #open = new Map<number, Known>()
  readonly #hook: AsyncHook

  /** `folder`: of the package of the plugin. */
  constructor(folder: string | undefined) {
    this.#folder = folder
    this.#hook = createHook({
      init: (id, type, _trigger, handle) => this.#note(id, type, handle),
      destroy: (id) => void this.#open.delete(id),
    }).enable()
  }

  /** Runs code of the node: what it opens, now or later, is seen. */
  run<T>(run: () => T): T {
    return owner.run(this, run)
  }

  /** Names of what is still open, after the event loop has had time to close it. */
  async left(): Promise<readonly string[]> {
    for (let turn = 0; turn < SETTLE_TURNS && this.#open.size > 0; turn++) await setImmediate()
    // Anything else that is open now has been left, though it may end by itself: a short timer, a child that dies.
    const left = [...this.#open.values()].filter(({ type }) => !OF_THREADS.has(type))
    // Turns are short while nothing happens: the thread may not have run once on a busy machine.
    for (let step = 0; step < SETTLE_STEPS && this.#waitsForThreads(); step++) await setTimeout(SETTLE_STEP_MS)
    return [...new Set([...left, ...this.#open.values()])].map(({ what, where, handle: { pid } }) =>
      pid === undefined ? `${what} (${where})` : `${what} with pid ${pid} (${where})`,
    )
  }

  /** Closes what is still open. */
  [Symbol.dispose](): void {
    this.#hook.disable()
    for (const { handle } of this.#open.values()) end(handle)
    this.#open.clear()
  }

  #waitsForThreads(): boolean {
    return [...this.#open.values()].some(({ type }) => OF_THREADS.has(type))
  }

  #note(id: number, type: string, handle: object): void {
    const what = NAMES[type]
    if (what === undefined || owner.getStore() !== this) return
    const stack = stackNow()
    const isTimer = type === 'Timeout'
    if (isTimer && !PUBLIC_TIMER.test(stack)) return
    const places = placesIn(stack)
    const [caller = ''] = places.map(([file]) => file)
    // The engine's own timers, which it sets for the node, are ended by the engine.
    if (isTimer && isOfEngine(caller)) return
    const known: Known = { type, what, where: this.#nameOf(places), caller, handle: handle as Handle }
    this.#open.set(id, known)
    if (isTimer) this.timers.push(known)
  }

  #nameOf(places: readonly (readonly [file: string, line: string])[]): string {
    const own = places.find(([file]) => this.#folder !== undefined && isFileOf(this.#folder, file))
    const operators = places.flatMap(([file]) => RXJS_OPERATOR.exec(file)?.[1] ?? [])
    // A chunk is pushed by the engine: no line of the plugin is in the stack.
    if (own === undefined && operators.length > 0) return `in RxJS: ${[...new Set(operators)].join(', ')}`
    const [file, line] = own ?? places.find(([each]) => !isOfEngine(each)) ?? ['by code that waited for something', '']
    return line === '' ? file : `${file}:${line}`
  }
}

function isOfEngine(file: string): boolean {
  return file.startsWith(ENGINE_FOLDER + sep) && !TEST_FILE.test(file)
}

function stackNow(): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = FRAMES
  const { stack = '' } = new Error('opened')
  Error.stackTraceLimit = stackTraceLimit
  return stack
}

/** Innermost first, without Node and this file. */
function placesIn(stack: string): (readonly [file: string, line: string])[] {
  return stack.split('\n').flatMap((text) => {
    const [, place = '', line = ''] = PLACE.exec(text.trim()) ?? []
    const file = place.startsWith('file:') ? fileURLToPath(place) : place
    return file === '' || file === fileURLToPath(import.meta.url) ? [] : [[file, line] as const]
  })
}

/** Never throws: whatever it is, the process has to be able to end. */
function end(handle: Handle): void {
  try {
    handle.kill?.(9)
    handle.stopThread?.()
    const closed = handle.close?.()
    if (closed instanceof Promise) void closed.catch(() => undefined)
  } catch {
    // It has ended meanwhile.
  }
}

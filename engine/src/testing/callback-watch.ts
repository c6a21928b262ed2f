// Records callbacks that the code of a plugin passes to Node: nothing catches their errors unless `context.guard` has
// wrapped them. It sees listeners of emitters and callbacks of timers, ticks and microtasks as they are passed.
import { EventEmitter } from 'node:events'
import { dirname, sep } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { nearestPackage } from '../plugin/plugin-package.js'

/** The place in a line of a stack. */
const PLACE = /\(?(?:async )?((?:file:\/\/|\/)[^()]+):(\d+):\d+\)?$/
const TEST_FILE = /\.test\.(?:kit\.)?[cm]?[jt]s$/
const EMITTER_METHODS = ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const

const OWN_FOLDER = dirname(fileURLToPath(import.meta.url))

type Callable = (...args: unknown[]) => unknown

interface PassedCallback {
  readonly callback: object
  /** `on in /folder/file.js:12`. */
  readonly where: string
}

export class CallbackWatch implements Disposable {
  readonly passed: PassedCallback[] = []
  readonly #folder: string
  readonly #restore: (() => void)[] = []

  /** Watches the code in a folder, except its tests and dependencies, until disposed. */
  constructor(folder: string) {
    this.#folder = folder
    for (const name of EMITTER_METHODS) this.#replace(EventEmitter.prototype, name, 1)
    // Sockets and responses override these.
    for (const name of ['on', 'addListener']) this.#replace(Readable.prototype, name, 1)
    for (const name of TIMERS) this.#replace(globalThis, name, 0)
    this.#replace(process, 'nextTick', 0)
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0)) restore()
  }

  /** `at`: the position of the callback among the arguments. */
  #replace(owner: object, name: string, at: number): void {
    const methods = owner as Record<string, Callable>
    const original = methods[name]
    if (original === undefined) return
    const look = (watched: Callable, callback: unknown): void => this.#look(name, watched, callback)
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      look(watched, args[at])
      return Reflect.apply(original, this, args)
    }
    methods[name] = watched
    this.#restore.push(() => (methods[name] = original))
  }

  #look(name: string, watched: Callable, callback: unknown): void {
    if (typeof callback !== 'function') return
    const [file, line] = callerOf(watched) ?? []
    if (file === undefined || !isFileOf(this.#folder, file) || TEST_FILE.test(file)) return
    // The kit itself, in the package of the engine.
    if (file.startsWith(OWN_FOLDER + sep)) return
    this.passed.push({ callback, where: `${name} in ${file}:${line}` })
  }
}

/** A file of the package in that folder, and not of its dependencies. */
export function isFileOf(folder: string, file: string): boolean {
  return file.startsWith(folder + sep) && !file.slice(folder.length).includes(`${sep}node_modules${sep}`)
}

/** The folder of the package whose file calls this function's caller. */
export function packageOfCaller(called: Callable): string | undefined {
  const [file] = callerOf(called) ?? []
  return file === undefined ? undefined : nearestPackage(dirname(file))
}

/** The file and line that called a function; undefined if that is Node itself. */
function callerOf(called: Callable): readonly [file: string, line: string] | undefined {
  const { stackTraceLimit } = Error
  const holder: { stack?: string } = {}
  Error.stackTraceLimit = 1
  Error.captureStackTrace(holder, called)
  Error.stackTraceLimit = stackTraceLimit
  const [, place = '', line = ''] = PLACE.exec(holder.stack?.split('\n').at(-1)?.trim() ?? '') ?? []
  if (place === '') return undefined
  return [place.startsWith('file:') ? fileURLToPath(place) : place, line]
}

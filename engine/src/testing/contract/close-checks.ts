// Rules about the end of a node: it gives everything back, in time, whenever it comes.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { messageOf } from '../../errors.js'
import type { AnyChunk } from '../../plugin/contract.js'
import { assertNone } from './assert-none.js'
import { beginNode, openNode, runNode } from './check.js'
import type { Check, Trial } from './check.js'
import { flow } from './open-checks.js'

const OPENINGS = 10
const DESCRIPTORS = '/proc/self/fd'

export const leavesNothing: Check = {
  title: 'it opens and closes repeatedly, and leaves nothing behind',
  run: async (trial) => {
    // What is loaded and cached at the first use stays.
    await (await runNode(trial))[Symbol.asyncDispose]()
    const before = { files: openFiles(), listeners: processListeners() }
    using folder = new TemporaryFolder()
    const left: string[] = []
    for (let count = 0; count < OPENINGS && left.length === 0; count++) {
      const bench = await runNode(trial)
      flow(bench, trial, 0.2)
      await bench.close()
      left.push(...bench.left)
      await bench.fakes[Symbol.asyncDispose]()
    }
    left.push(...(await trial.watch.left()))
    left.push(...added(before.files, openFiles()).map((path) => `an open file (${path})`))
    left.push(...added(before.listeners, processListeners()).map((name) => `a listener of process for ${name}`))
    left.push(...folder.files.map((path) => `a temporary file (${path})`))
    assertNone(left, 'after it was closed, it has left')
  },
}

export const stopsBeforeReady: Check = {
  title: 'it can be stopped before it is ready',
  run: async (trial) => {
    const { bench, opened } = beginNode(trial)
    bench.context.abort('stopped before it was ready')
    // It may refuse to open now.
    await opened.catch(() => undefined)
    await bench.close()
    assertNone(bench.left, 'stopped while it opened, it has left')
    await bench.fakes[Symbol.asyncDispose]()
    await using next = await openNode(trial)
    next.subscribe()
    next.unsubscribe()
    await next.close()
    assertNone(next.left, 'stopped right after it was opened, it has left')
    assertNone(await trial.watch.left(), 'stopped before it was ready, it has left')
  },
}

export const stopsInFlow: Check = {
  title: 'it stops in time while data flows',
  run: async (trial) => {
    const bench = await runNode(trial)
    flow(bench, trial, 1)
    const sending = Promise.resolve(trial.settings.send?.(trial.streams.bytes, bench)).catch(() => undefined)
    await bench[Symbol.asyncDispose]()
    await sending
    assertNone(bench.left, 'stopped while data flowed, it has left')
  },
}

export const reportsOnce: Check = {
  title: 'an error inside it is reported once',
  run: async (trial) => {
    for (const wrong of trial.settings.refused ?? []) {
      const parsed = trial.definition.options.safeParse(wrong)
      if (!parsed.success) continue
      const { bench, opened } = beginNode(trial, { options: parsed.data })
      const error: unknown = await opened.then(
        async (open) => open[Symbol.asyncDispose](),
        (thrown: unknown) => thrown,
      )
      assertOnce(trial, [error], bench.context)
    }
    const { definition } = trial
    const [kind] = 'consumes' in definition ? definition.consumes : []
    const [chunk] = kind === undefined ? [] : trial.streams.clean(kind)
    if (chunk === undefined) return
    const bench = await runNode(trial)
    bench.push(poisoned(chunk))
    await trial.stray.settled()
    await bench.close()
    await bench.fakes[Symbol.asyncDispose]()
    assertOnce(trial, [...bench.errors, ...trial.stray.caught.splice(0)], bench.context)
  },
}

/** The engine reports what is thrown, with the id of the node: the node does not log it too. */
function assertOnce(
  trial: Trial,
  thrown: readonly unknown[],
  {
    failures,
    lines,
  }: {
    readonly failures: readonly unknown[]
    readonly lines: readonly { readonly level: string; readonly data: unknown; readonly text: string }[]
  },
): void {
  // Each port and each callback that meets the same error has it.
  const errors = new Set([...thrown, ...failures, ...trial.stray.caught].filter((error) => error !== undefined))
  const logged = lines
    .filter(({ level }) => level === 'error' || level === 'fatal')
    .map(({ data, text }) => `log: ${text === '' ? String(data) : text}`)
  const all = [...[...errors].map(messageOf), ...logged]
  assert.ok(all.length <= 1, `one error is reported ${all.length} times: ${all.join(' | ')}`)
}

/** A chunk whose bytes cannot be read. */
function poisoned(chunk: AnyChunk): AnyChunk {
  const error = new Error('the kit: an error inside the node')
  return Object.defineProperty({ ...chunk }, 'bytes', {
    get() {
      throw error
    },
  })
}

/** Files that the process has open, without sockets and pipes, which have handles. Empty where there is no /proc. */
function openFiles(): readonly string[] {
  if (!existsSync(DESCRIPTORS)) return []
  return readdirSync(DESCRIPTORS).flatMap((descriptor) => {
    try {
      const path = readlinkSync(join(DESCRIPTORS, descriptor))
      return path.startsWith('/') && !path.startsWith('/proc/') && !path.startsWith('/dev/') ? [path] : []
    } catch {
      // It was the one that lists them.
      return []
    }
  })
}

function processListeners(): readonly string[] {
  return process.eventNames().flatMap((name) => Array<string>(process.listenerCount(name)).fill(String(name)))
}

/** What is more often in `now`. */
function added(before: readonly string[], now: readonly string[]): readonly string[] {
  const rest = [...before]
  return now.filter((each) => {
    const at = rest.indexOf(each)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** The folder for temporary files while it is not disposed. */
class TemporaryFolder implements Disposable {
  readonly #before = process.env['TMPDIR']
  readonly #path = mkdtempSync(join(tmpdir(), 'millrace-kit-'))

  constructor() {
    process.env['TMPDIR'] = this.#path
  }

  get files(): readonly string[] {
    return readdirSync(this.#path).map((name) => join(this.#path, name))
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = this.#before
    rmSync(this.#path, { recursive: true, force: true })
  }
}

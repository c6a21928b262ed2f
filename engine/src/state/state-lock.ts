// Lets one engine at a time use a state folder, on one host, also from containers that share the folder. The kernel says
// who lives: each starter listens on a unix socket in `lock/`, and asks all others there. A socket without a listener
// belongs to a dead process, and since names never return it can be removed without a race.
//
// Why two never win: a contender becomes visible (rename) before it looks for others, so of two at least one asks the
// other. What is asked answers in one turn of its event loop: `held`, or, while it starts too, the older contender
// stays and the younger one is out.
import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { askContender, MAX_LINE } from './ask-contender.js'
import type { ContenderAnswer } from './ask-contender.js'
import { createFolder } from './create-folder.js'
import { withSocketPath } from './socket-path.js'
import { stateError } from './state-errors.js'

const LOCK_FOLDER = 'lock'
/** A socket that is not renamed yet. */
const NEW = 'new-'
/** A crash between listening and renaming leaves a socket behind; an older one has no owner. */
const STARTING_MS = 60_000
/** An unfinished question of a process that has stopped. */
const QUESTION_MS = 10_000
/** An engine that starts on a busy machine is slow, and lives. */
const ANSWER_MS = 10_000

/**
 * Takes the lock; throws STATE_LOCKED while another process has it, and for one that does not answer within `answerMs`.
 * Dispose releases it. `listen`: on a path; for tests.
 */
export async function lockState(dir: string, answerMs = ANSWER_MS, listen = listenOn): Promise<AsyncDisposable> {
  const folder = join(dir, LOCK_FOLDER)
  await createFolder(folder, 0o700)
  const contender = await Contender.make(folder, listen)
  try {
    const others = await otherContenders(folder, contender.name)
    const answers = await Promise.all(others.map((name) => askOther(folder, name, contender.name, answerMs)))
    const winner = answers.find(({ state }) => state === 'held' || state === 'older' || state === 'silent')
    if (winner !== undefined) throw stateError('STATE_LOCKED', `${describe(winner)} ${dir}`)
    if (!contender.hold()) throw stateError('STATE_LOCKED', `a process that was started before this one uses ${dir}`)
    return contender
  } catch (error) {
    await contender[Symbol.asyncDispose]()
    throw error
  }
}

/** Who holds the lock of a state folder, such as `process 42`; undefined if nobody does. */
export async function findHolder(dir: string): Promise<string | undefined> {
  const folder = join(dir, LOCK_FOLDER)
  const names = await otherContenders(folder, '').catch(() => [])
  const answers = await Promise.all(names.map((name) => askContender(folder, name, '?', ANSWER_MS)))
  const holder = answers.find(({ state }) => state === 'held' || state === 'silent')
  return holder && nameOf(holder)
}

class Contender implements AsyncDisposable {
  /** Sorts by the time of the start; a clock that is set back does not matter, since a holder never yields. */
  readonly name = `${String(Date.now()).padStart(15, '0')}-${randomUUID()}`
  readonly #path: string
  readonly #server: Server
  #state: 'starting' | 'held' | 'out' = 'starting'

  private constructor(folder: string) {
    this.#path = join(folder, this.name)
    this.#server = createServer((socket) => this.#answer(socket))
    this.#server.on('error', () => undefined)
  }

  static async make(folder: string, listen: typeof listenOn): Promise<Contender> {
    const contender = new Contender(folder)
    const first = `${NEW}${contender.name}`
    await withSocketPath(folder, first, (path) => listen(contender.#server, path).catch(explain))
    try {
      await rename(join(folder, first), contender.#path)
    } catch (error) {
      contender.#server.close()
      throw error
    }
    return contender
  }

  /** False if an older contender has asked meanwhile. */
  hold(): boolean {
    if (this.#state === 'starting') this.#state = 'held'
    return this.#state === 'held'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'out'
    // First the name: who finds it asks a process that still answers.
    await rm(this.#path, { force: true })
    this.#server.close()
  }

  #answer(socket: Socket): void {
    let text = ''
    socket.setEncoding('utf8').unref()
    socket.setTimeout(QUESTION_MS, () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('data', (data: string) => {
      text += data
      const end = text.indexOf('\n')
      if (end >= 0) socket.end(`${this.#answerTo(text.slice(0, end))} ${process.pid}\n`)
      else if (text.length > MAX_LINE) socket.destroy()
    })
  }

  #answerTo(rival: string): ContenderAnswer['state'] {
    if (this.#state === 'starting' && rival !== '?' && rival < this.name) this.#state = 'out'
    if (this.#state === 'starting') return 'older'
    return this.#state === 'held' ? 'held' : 'gone'
  }
}

async function listenOn(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.unref()
}

function explain(cause: NodeJS.ErrnoException): never {
  if (cause.code === 'ENOSPC' || cause.code === 'EACCES' || cause.code === 'EROFS') throw cause
  const why = `no unix socket can be made in it (${cause.code ?? cause.message}), which says who uses the folder`
  throw new Error(why, { cause })
}

async function otherContenders(folder: string, own: string): Promise<string[]> {
  const names = await readdir(folder)
  const unfinished = names.filter((name) => name.startsWith(NEW))
  await Promise.all(unfinished.map((name) => removeAbandoned(join(folder, name))))
  return names.filter((name) => !name.startsWith(NEW) && name !== own)
}

async function removeAbandoned(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined && Date.now() - found.mtimeMs > STARTING_MS) await rm(path, { force: true })
}

async function askOther(folder: string, name: string, own: string, answerMs: number): Promise<ContenderAnswer> {
  const answer = await askContender(folder, name, own, answerMs)
  if (answer.state === 'dead') await rm(join(folder, name), { force: true })
  return answer
}

function nameOf({ pid }: ContenderAnswer): string {
  return pid === undefined ? 'a process' : `process ${pid}`
}

function describe(answer: ContenderAnswer): string {
  if (answer.state === 'held') return `${nameOf(answer)} uses`
  if (answer.state === 'older') return `${nameOf(answer)}, which is just starting, uses`
  return `a process that does not answer (${answer.why ?? 'stopped or busy'}) uses`
}

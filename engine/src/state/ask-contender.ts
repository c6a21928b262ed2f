// Asks another contender for the lock of a state folder whether it lives, and whether it holds the lock.
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:net'
import { withSocketPath } from './socket-path.js'

/** Bytes of a question or an answer. */
export const MAX_LINE = 256
const AGAIN_MS = 50

export interface ContenderAnswer {
  /**
   * `held`: its owner has the lock; `older`: it starts too, and was first; `gone`: it gives way; `dead`: nobody listens,
   * and nobody will; `silent`: somebody listens, but does not answer.
   */
  readonly state: 'held' | 'older' | 'gone' | 'dead' | 'silent'
  /** In the owner's PID namespace. */
  readonly pid?: number
  readonly why?: string
}

const ANSWER = /^(held|older|gone) (\d{1,10})$/

/** `own`: the name of the contender that asks, or `?`. */
export async function askContender(
  folder: string,
  name: string,
  own: string,
  timeoutMs: number,
): Promise<ContenderAnswer> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const leftMs = endMs - performance.now()
    const said = await withSocketPath(folder, name, (path) => ask(path, own, Math.max(leftMs, 1)))
    if (typeof said !== 'string') return said
    if (leftMs <= 0) return { state: 'silent', why: said }
    await delay(AGAIN_MS)
  }
}

/** A text says why there is no answer yet. */
async function ask(path: string, own: string, timeoutMs: number): Promise<ContenderAnswer | string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(path)
    const timer = setTimeout(() => end('no answer'), timeoutMs)
    const end = (answer: ContenderAnswer | string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('utf8')
    socket.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') end({ state: 'dead' })
      else if (code === 'ENOENT') end({ state: 'gone' })
      else if (code === 'EACCES' || code === 'EPERM') end({ state: 'silent', why: 'it belongs to another user' })
      else end(code)
    })
    socket.on('data', (data: string) => {
      text = (text + data).slice(0, MAX_LINE)
    })
    // Asked again after a close without an answer: its owner has just ended, or has too many questions.
    socket.on('close', () => end(parse(text) ?? 'no answer'))
    socket.write(`${own}\n`)
  })
}

function parse(text: string): ContenderAnswer | undefined {
  const [, state, pid] = ANSWER.exec(text.trim()) ?? []
  return state === undefined ? undefined : { state: state as ContenderAnswer['state'], pid: Number(pid) }
}

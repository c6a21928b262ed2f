// Reads the line with the key from a new connection, within a time and a number of bytes. What follows the line stays in
// the socket.
import type { Duplex } from 'node:stream'
import type { Clock, NodeContext } from '@millrace/engine/plugin'
import { type KeyLine, parseKeyLine } from './key-line.js'

type LineProblem = 'header' | 'header-too-long' | 'header-timeout' | 'incomplete'

export interface LineReaderOptions {
  readonly clock: Clock
  readonly guard: NodeContext['guard']
  readonly timeoutMs: number
  /** Called once; the socket is paused. */
  onLine(line: KeyLine): void
  /** Called once, instead of `onLine`. */
  onBad(problem: LineProblem): void
}

/** Attaches its listeners at once and removes them before it calls back. */
export function readKeyLine(socket: Duplex, options: LineReaderOptions): void {
  const { clock, guard, timeoutMs, onLine, onBad } = options
  let collected: Buffer | undefined
  const onData = guard((chunk: Buffer) => {
    const bytes = collected === undefined ? chunk : Buffer.concat([collected, chunk])
    const reading = parseKeyLine(bytes)
    if (reading.state === 'more') {
      collected = bytes
      return
    }
    detach()
    if (reading.state === 'bad') return onBad(reading.reason)
    socket.pause()
    if (bytes.length > reading.length) socket.unshift(bytes.subarray(reading.length))
    onLine(reading.line)
  })
  const onGone = guard(() => {
    detach()
    onBad('incomplete')
  })
  const timer = clock.after(timeoutMs, () => {
    detach()
    onBad('header-timeout')
  })
  function detach(): void {
    timer[Symbol.dispose]()
    socket.off('data', onData)
    socket.off('end', onGone)
    socket.off('close', onGone)
  }
  socket.on('data', onData)
  socket.on('end', onGone)
  socket.on('close', onGone)
  socket.resume()
}

// The load of the delivery bench on machines without a C compiler: the same commands and output as load-client.c. It
// uses as much CPU as a Node server, so it needs its own core.
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { type LoadMark, spreadOf } from './load-mark.js'
import { PacketChecker } from './packet-checker.js'

interface Reader {
  readonly socket: Socket
  readonly startMs: number
  readonly isLate: boolean
  readonly checker: PacketChecker | undefined
  head: Buffer | undefined
  lastMs: number
}

const HEAD_END = '\r\n\r\n'
const TICK_MS = 5

class LoadClient {
  readonly #url: URL
  readonly #readers = new Set<Reader>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #isStalled = false
  #seen = { bytes: 0, begun: 0, worstGapMs: 0, lost: 0, refused: 0 }
  #firstBytesMs: number[] = []

  constructor(url: URL) {
    this.#url = url
  }

  obey(line: string): void {
    const [command = '', ...rest] = line.split(' ')
    const [a = 0, b = 0, c = 0] = rest.map(Number)
    if (command === 'open') this.#repeat(b === 0 ? Infinity : b, a, () => this.#dial(false, true))
    else if (command === 'check') this.#repeat(Infinity, a, () => this.#dial(true, false))
    else if (command === 'late') this.#repeat(Infinity, a, () => this.#dial(true, true))
    else if (command === 'churn') this.#churn(a, b, c)
    else if (command === 'stall' || command === 'resume') this.#stall(command === 'stall')
    else if (command === 'close') this.#close()
    else if (command === 'mark') this.#mark()
  }

  /** Calls `dial` `count` times, `rate` times a second. */
  #repeat(rate: number, count: number, dial: () => void): void {
    const startMs = performance.now()
    let done = 0
    const tick = (): void => {
      const due = Math.min(count, Math.floor(((performance.now() - startMs) / 1000) * rate))
      for (; done < due; done++) dial()
      if (done < count) return
      clearInterval(timer)
      this.#timers.delete(timer)
    }
    const timer = setInterval(tick, TICK_MS)
    this.#timers.add(timer)
    tick()
  }

  #churn(rate: number, lifeMs: number, seconds: number): void {
    this.#repeat(rate, rate * seconds, () => {
      const reader = this.#dial(false, true)
      setTimeout(() => this.#leave(reader), lifeMs)
    })
  }

  #dial(isChecked: boolean, isLate: boolean): Reader {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port) })
    const startMs = performance.now()
    const checker = isChecked ? new PacketChecker() : undefined
    const reader: Reader = { socket, startMs, isLate, checker, head: Buffer.alloc(0), lastMs: startMs }
    this.#readers.add(reader)
    socket.on('connect', () => socket.write(`GET ${this.#url.pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`))
    socket.on('data', (bytes: Buffer) => this.#read(reader, bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!this.#readers.delete(reader)) return
      if (reader.head === undefined) this.#seen.lost++
      else this.#seen.refused++
    })
    return reader
  }

  #read(reader: Reader, bytes: Buffer): void {
    const nowMs = performance.now()
    if (reader.head === undefined) {
      this.#seen.worstGapMs = Math.max(this.#seen.worstGapMs, nowMs - reader.lastMs)
      this.#count(reader, bytes, nowMs)
      return
    }
    reader.head = Buffer.concat([reader.head, bytes])
    const end = reader.head.indexOf(HEAD_END)
    if (end < 0 || end + HEAD_END.length === reader.head.length) return
    const body = reader.head.subarray(end + HEAD_END.length)
    if (!reader.head.toString('latin1', 0, 12).startsWith('HTTP/1.1 200')) {
      reader.socket.destroy()
      return
    }
    reader.head = undefined
    this.#seen.begun++
    this.#firstBytesMs.push(nowMs - reader.startMs)
    this.#count(reader, body, nowMs)
    if (this.#isStalled && reader.isLate) reader.socket.pause()
  }

  #count(reader: Reader, bytes: Buffer, nowMs: number): void {
    this.#seen.bytes += bytes.length
    reader.lastMs = nowMs
    reader.checker?.push(bytes)
  }

  #stall(isStalled: boolean): void {
    this.#isStalled = isStalled
    for (const reader of this.#readers) {
      if (!reader.isLate || reader.head !== undefined) continue
      reader.lastMs = performance.now()
      if (isStalled) reader.socket.pause()
      else reader.socket.resume()
    }
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader)
    reader.socket.destroy()
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers.clear()
    for (const reader of this.#readers) this.#leave(reader)
  }

  #mark(): void {
    const nowMs = performance.now()
    const reading = [...this.#readers].filter(({ head }) => head === undefined)
    const gaps = reading.filter(({ isLate }) => !(this.#isStalled && isLate)).map(({ lastMs }) => nowMs - lastMs)
    const checkers = reading.flatMap(({ checker }) => checker ?? [])
    const mark: LoadMark = {
      ...this.#seen,
      worstGapMs: Math.max(this.#seen.worstGapMs, ...gaps),
      atMs: Number(process.hrtime.bigint()) / 1e6,
      readers: this.#readers.size,
      reading: reading.length,
      firstByteMs: spreadOf(this.#firstBytesMs),
      latencyMs: spreadOf(checkers.flatMap(({ latenciesMs }) => latenciesMs.splice(0))),
      counterErrors: sum(checkers.map((checker) => checker.counterErrors)),
      syncErrors: sum(checkers.map((checker) => checker.syncErrors)),
    }
    console.log(JSON.stringify(mark))
    this.#seen = { bytes: 0, begun: 0, worstGapMs: 0, lost: 0, refused: 0 }
    this.#firstBytesMs = []
    for (const checker of checkers) {
      checker.counterErrors = 0
      checker.syncErrors = 0
    }
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

const client = new LoadClient(new URL(process.argv[2] ?? ''))
createInterface({ input: process.stdin })
  .on('line', (line) => client.obey(line))
  .on('close', () => process.exit())

// Collects what the programs of `exec` outputs read, and compares it with the reference viewers. A program that follows
// another one of its output must continue where that one has ended.
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { StreamComparison } from '../compare-stream.js'
import type { ReferenceViewer } from '../reference-viewer.js'

const SIZE = 188
/** Tables: a program begins with its own copies of them. */
const TABLES: ReadonlySet<number> = new Set([0, 0x1000])

interface Program {
  readonly tag: string
  readonly pid: number
  /** Undefined until its reference viewer is there. */
  comparison: StreamComparison | undefined
  /** What it has read until then. */
  readonly held: Buffer[]
  bytes: number
  hasEnded: boolean
  /** The soak has killed it: it may end in a packet, and the next one begins later. */
  isKilled: boolean
  /** The plan of an edit ends it before the next one begins. */
  mayMiss: boolean
}

export class ProgramSink implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #referenceOf = new Map<string, ReferenceViewer>()
  #programs: Program[] = []
  #compared = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#take(socket))
  }

  static async open(path: string): Promise<ProgramSink> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path, resolve))
    return new ProgramSink(server)
  }

  /** Packets found equal to the reference. */
  get compared(): number {
    return this.#programs.reduce((sum, { comparison }) => sum + (comparison?.compared ?? 0), this.#compared)
  }

  /** The reference viewer of the programs with this tag. */
  expect(tag: string, reference: ReferenceViewer): void {
    this.#referenceOf.set(tag, reference)
  }

  /** Ids of the processes that are running. */
  pids(tag: string): readonly number[] {
    return this.#programs.filter((each) => each.tag === tag && !each.hasEnded).map(({ pid }) => pid)
  }

  noteKilled(pid: number): void {
    for (const program of this.#programs) if (program.pid === pid) program.isKilled = true
  }

  /** `isHandoff`: of the output itself, otherwise of a node in front of it. */
  allowGap(tag: string, isHandoff: boolean): void {
    for (const program of this.#programs) {
      if (program.tag !== tag) continue
      if (isHandoff) program.mayMiss = true
      else program.comparison?.allowGap()
    }
  }

  /** What is wrong since the last call. */
  faults(): string[] {
    const faults = this.#programs.flatMap((program) => {
      const { hasEnded, isKilled, bytes, tag, pid } = program
      const what = this.#comparisonOf(program)?.fault()
      const isTorn = hasEnded && !isKilled && bytes % SIZE !== 0
      const torn = isTorn ? [`it ended with ${bytes % SIZE} bytes of a packet`] : []
      return [...(what === undefined ? [] : [what]), ...torn].map((each) => `program ${tag} (process ${pid}): ${each}`)
    })
    for (const [index, program] of this.#programs.entries()) {
      const next = this.#programs.slice(index + 1).find(({ tag }) => tag === program.tag)
      if (program.hasEnded && next !== undefined && !program.isKilled && !program.mayMiss)
        faults.push(...followFault(program, next))
    }
    this.#forget()
    return faults
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Those that have ended and have a successor whose first packet is known. */
  #forget(): void {
    this.#programs = this.#programs.filter((program, index) => {
      const next = this.#programs.slice(index + 1).find(({ tag }) => tag === program.tag)
      const isDone = program.hasEnded && next?.comparison?.range !== undefined
      if (isDone) this.#compared += program.comparison?.compared ?? 0
      return !isDone
    })
  }

  #comparisonOf(program: Program): StreamComparison | undefined {
    const reference = this.#referenceOf.get(program.tag)
    if (program.comparison === undefined && reference !== undefined) {
      program.comparison = new StreamComparison(reference.packets)
      for (const bytes of program.held.splice(0)) program.comparison.push(bytes)
    }
    return program.comparison
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket)
    let line = Buffer.alloc(0)
    let program: Program | undefined
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      if (program !== undefined) return addBytes(program, bytes)
      line = Buffer.concat([line, bytes])
      const end = line.indexOf('\n')
      if (end < 0) return
      const [tag = '', pid = ''] = line.toString('latin1', 0, end).split(' ')
      program = {
        tag,
        pid: Number(pid),
        comparison: undefined,
        held: [],
        bytes: 0,
        hasEnded: false,
        isKilled: false,
        mayMiss: false,
      }
      this.#programs.push(program)
      addBytes(program, line.subarray(end + 1))
    })
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (program !== undefined) program.hasEnded = true
    })
  }
}

function addBytes(program: Program, bytes: Buffer): void {
  if (bytes.length === 0) return
  program.bytes += bytes.length
  if (program.comparison === undefined) program.held.push(bytes)
  else program.comparison.push(bytes)
}

/** Compares where the first ended with where the second began. */
function followFault(program: Program, next: Program): string[] {
  const [before, after] = [program.comparison?.range, next.comparison?.range]
  const reference = program.comparison?.reference
  if (before === undefined || after === undefined || reference === undefined || !program.comparison?.isDone) return []
  let missing = 0
  for (let at = before.next; at < after.first; at++) {
    const packet = reference.packetAt(at)
    if (packet !== undefined && !TABLES.has(packet.readUInt16BE(1) & 0x1fff)) missing++
  }
  const what = `the program ${next.pid} after program ${program.pid} of ${program.tag}`
  if (missing > 0) return [`${what} misses ${missing} packets`]
  return after.first < before.next ? [`${what} repeats ${before.next - after.first} packets`] : []
}

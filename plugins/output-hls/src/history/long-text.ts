// The text of a playlist with thousands of segments. Lines are added at its end and removed from its front, and a version
// is a new head and the lines that there are. Full blocks of lines are zipped once, when somebody wants a version zipped:
// after that it costs about as much as its first and its last block, and a copy of the rest.
import { constants, crc32, deflateRawSync } from 'node:zlib'

/** Rows of one block. */
const BLOCK_ROWS = 512
/** Full blocks that are zipped in one turn of the event loop: a millisecond each. */
const MOST_ZIPPED = 4
/** RFC 1952: deflate, no name, no time, unknown system. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

interface Block {
  /** Grows until the block is full. */
  bytes: Buffer
  used: number
  /** Where each row begins. */
  readonly rows: Uint32Array
  count: number
  /** Rows that have been removed. */
  removed: number
  /** The whole block, so that other compressed blocks can follow it; undefined until it is full, and wanted. */
  zipped: Buffer | undefined
}

export class LongText {
  readonly #blocks: Block[] = []
  #rows = 0

  /** Rows that it has. */
  get length(): number {
    return this.#rows
  }

  get memoryBytes(): number {
    return this.#blocks.reduce((sum, { bytes, rows, zipped }) => {
      return sum + bytes.length + rows.byteLength + (zipped?.length ?? 0)
    }, 0)
  }

  /** `lines`: those of one row, each with its newline. */
  append(lines: string): void {
    const bytes = Buffer.from(lines)
    const block = this.#open()
    if (block.used + bytes.length > block.bytes.length) block.bytes = enlarged(block, bytes.length)
    bytes.copy(block.bytes, block.used)
    block.rows[block.count++] = block.used
    block.used += bytes.length
    this.#rows++
    // Full: no room is left over.
    if (block.count === BLOCK_ROWS) {
      block.bytes = Buffer.from(new Uint8Array(block.bytes.subarray(0, block.used)).buffer)
    }
  }

  /** The lines of the first row; empty without one. */
  get first(): string {
    const block = this.#blocks[0]
    return block === undefined
      ? ''
      : block.bytes.toString('utf8', startOf(block, block.removed), startOf(block, block.removed + 1))
  }

  /** Returns the lines that are removed. */
  removeFirst(): string {
    const block = this.#blocks[0]
    if (block === undefined || this.#rows === 0) return ''
    const removed = this.first
    block.removed++
    this.#rows--
    if (block.removed === BLOCK_ROWS) this.#blocks.shift()
    return removed
  }

  /** Changes the lines of one row: `row` counts from the first that it has. */
  replace(row: number, change: (lines: string) => string): void {
    if (row < 0 || row >= this.#rows) return
    const at = row + (this.#blocks[0]?.removed ?? 0)
    // All blocks but the last are full.
    const block = this.#blocks[Math.floor(at / BLOCK_ROWS)]!
    const index = at % BLOCK_ROWS
    const [from, to] = [startOf(block, index), startOf(block, index + 1)]
    const lines = Buffer.from(change(block.bytes.toString('utf8', from, to)))
    block.bytes = Buffer.concat([block.bytes.subarray(0, from), lines, block.bytes.subarray(to, block.used)])
    block.used = block.bytes.length
    for (let next = index + 1; next < block.count; next++) block.rows[next]! += lines.length - (to - from)
    block.zipped = undefined
  }

  clear(): void {
    this.#blocks.length = 0
    this.#rows = 0
  }

  /** A version of the text. */
  render(head: string, tail = ''): Buffer {
    return Buffer.concat([Buffer.from(head), ...this.#blocks.map(linesOf), Buffer.from(tail)])
  }

  /**
   * The same, zipped. `plain`: what `render` has returned. Undefined: too much has to be zipped first. Some of it is then,
   * so that after a few versions nothing is left.
   */
  zip(plain: Buffer, head: string, tail = ''): Buffer | undefined {
    if (!this.#zipBlocks()) return undefined
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(crc32(plain), 0)
    trailer.writeUInt32LE(plain.length, 4)
    const blocks = this.#blocks.map((block) => {
      return block.removed === 0 && block.zipped !== undefined ? block.zipped : zipPart(linesOf(block))
    })
    return Buffer.concat([GZIP_HEADER, zipPart(Buffer.from(head)), ...blocks, deflateRawSync(tail), trailer])
  }

  #zipBlocks(): boolean {
    const left = this.#blocks.filter(
      ({ count, removed, zipped }) => count === BLOCK_ROWS && removed === 0 && zipped === undefined,
    )
    for (const block of left.slice(0, MOST_ZIPPED)) block.zipped = zipPart(block.bytes)
    return left.length <= MOST_ZIPPED
  }

  #open(): Block {
    const last = this.#blocks.at(-1)
    if (last !== undefined && last.count < BLOCK_ROWS) return last
    const rows = new Uint32Array(BLOCK_ROWS)
    const opened = { bytes: Buffer.alloc(0), used: 0, rows, count: 0, removed: 0, zipped: undefined }
    this.#blocks.push(opened)
    return opened
  }
}

/** Ends at a byte, and refers to nothing before it: RFC 1951, blocks behind a full flush. */
function zipPart(bytes: Buffer): Buffer {
  return bytes.length === 0 ? bytes : deflateRawSync(bytes, { finishFlush: constants.Z_FULL_FLUSH })
}

function linesOf(block: Block): Buffer {
  return block.bytes.subarray(startOf(block, block.removed), block.used)
}

function startOf({ rows, count, used }: Block, row: number): number {
  return row < count ? rows[row]! : used
}

function enlarged({ bytes, used }: Block, more: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(4096, used + more, Math.ceil(bytes.length * 1.5)))
  bytes.copy(larger, 0, 0, used)
  return larger
}

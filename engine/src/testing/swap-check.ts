// Checks that a transform which passes chunks on can be swapped without a gap or a repeat: opened beside a running one,
// from its state, at many positions of a stream.
import assert from 'node:assert/strict'
import type { AnyChunk, Definition, Previous } from '../plugin/contract.js'
import { type ContractBench, inletIds } from './contract-bench.js'
import { isRandomAccessPoint } from '../plugin/random-access-point.js'

/** Chunks between the positions at which a node is swapped. */
const STEP = 7

/** Rejects with what differs. `open` opens a node of the definition. */
export async function assertCleanSwap(
  definition: Definition,
  open: (previous?: Previous) => Promise<ContractBench>,
  stream: () => readonly AnyChunk[],
): Promise<void> {
  // Chunks of each inlet have the same numbers: only the origin objects tell them apart.
  const streams = inletIds(definition).map(() => stream())
  const { length } = streams[0] ?? []
  const origins = new Set(streams.flat().map(({ origin }) => origin))
  const push = (benches: readonly ContractBench[], from: number, to: number): void => {
    for (let at = from; at < to; at++)
      for (const [inlet, chunks] of streams.entries()) for (const bench of benches) bench.push(chunks[at]!, inlet)
  }
  for (let from = 1; from < length; from += STEP) {
    await using old = await open()
    push([old], 0, from)
    await using next = await open(old.previous())
    const before = old.got.length
    push([old, next], from, length)
    const isOwn = old.got.some(({ origin }) => !origins.has(origin))
    assert.equal(isOwn, false, 'it changes the origin of chunks: it has to pass the object on, or declare makesStream')
    assertSameFrom(old.got.slice(before), next.got, from)
  }
}

/**
 * For each chunk of the old branch at which a cut is possible, the new one has the same chunk, and the same bytes after
 * it.
 */
function assertSameFrom(old: readonly AnyChunk[], next: readonly AnyChunk[], from: number): void {
  for (const [index, chunk] of old.entries()) {
    if (!isRandomAccessPoint(chunk) || isSameOrigin(old[index - 1], chunk)) continue
    const at = next.findIndex((each) => isSameOrigin(each, chunk))
    const where = `opened at chunk ${from}, cut at ${chunk.origin.generation}/${chunk.origin.seq}`
    const entry = next[at]
    assert.ok(entry !== undefined && isRandomAccessPoint(entry), `${where}: the new node has no chunk to start at`)
    const [kept, left] = [bytesOf(old.slice(index)), bytesOf(next.slice(at))]
    assert.equal(
      Buffer.compare(kept, left),
      0,
      `${where}: ${left.length} bytes instead of ${kept.length}, or other bytes`,
    )
  }
}

function bytesOf(chunks: readonly AnyChunk[]): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes))
}

function isSameOrigin(a: AnyChunk | undefined, b: AnyChunk): boolean {
  return a?.origin === b.origin
}

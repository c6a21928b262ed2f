// Checks a chunk that a plugin has emitted: readers take it as it is, and a faulty one would fail them instead of its node.
import type { AnyChunk, ChunkKind, Definition } from '../../plugin/contract.js'

/** Undefined if it is a chunk as the input of that definition emits. */
export function itemFault(chunk: AnyChunk, definition: Definition): string | undefined {
  const kind = definition.kind === 'input' ? definition.produces : 'ts'
  return kind === 'bytes' ? 'emits bytes, and has emitted a chunk' : chunkFault(chunk, kind)
}

/** Undefined if it is a chunk of that kind. */
export function chunkFault(chunk: AnyChunk, kind: ChunkKind): string | undefined {
  if (typeof chunk !== 'object' || chunk === null) return `has emitted a value of type ${typeof chunk}`
  if (chunk.kind !== kind) return `is of kind ${kind}, and has emitted ${String(chunk.kind)}`
  if (!(chunk.bytes instanceof Uint8Array)) return 'has emitted a chunk without bytes'
  if (!(chunk.marks instanceof Int32Array)) return 'has emitted a chunk without marks'
  if (typeof chunk.origin !== 'object' || chunk.origin === null) return 'has emitted a chunk without an origin'
  if (!Number.isFinite(chunk.receivedAtMs)) return 'has emitted a chunk without a time'
  if (chunk.kind === 'gop' && !(chunk.gop?.psi instanceof Uint8Array)) return 'has emitted a chunk without its GOP'
  return undefined
}

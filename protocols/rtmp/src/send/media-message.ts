// A media message for any number of receivers: its chunks are made once for each chunk size in use.
import { renderChunks } from '../chunk/chunk-writer.js'
import { CHUNK_STREAM, MESSAGE } from '../session/message.js'
import type { MediaType } from '../session/message.js'

/**
 * What a message is worth when a receiver is slow. `headers`: configuration and metadata, without which nothing can be
 * decoded. `key`, `inter` and `disposable` are video frames: random access, needed by later frames, needed by none.
 */
export type MediaClass = 'headers' | 'audio' | 'key' | 'inter' | 'disposable'

/** Of what is kept, by chunk size. */
const MOST_VARIANTS = 4
/** Of the only message stream of a connection. Receivers with another one make the chunks anew: it is theirs to choose. */
const USUAL_STREAM_ID = 1

interface Variant {
  readonly chunkSize: number
  readonly bytes: Uint8Array
}

export class MediaMessage {
  readonly type: MediaType
  readonly class: MediaClass
  readonly timestampMs: number
  readonly body: Uint8Array
  readonly #variants: Variant[] = []

  /** @param body does not change afterwards */
  constructor(type: MediaType, mediaClass: MediaClass, timestampMs: number, body: Uint8Array) {
    this.type = type
    this.class = mediaClass
    this.timestampMs = timestampMs
    this.body = body
  }

  /** Do not change the bytes: other receivers have them too. */
  chunks(chunkSize: number, messageStreamId: number): Uint8Array {
    const isUsual = messageStreamId === USUAL_STREAM_ID
    if (isUsual) for (const made of this.#variants) if (made.chunkSize === chunkSize) return made.bytes
    const { type, timestampMs, body } = this
    const bytes = renderChunks(
      { type, chunkStreamId: chunkStreamOf(type), messageStreamId, timestampMs, body },
      chunkSize,
    )
    if (isUsual && this.#variants.length < MOST_VARIANTS) this.#variants.push({ chunkSize, bytes })
    return bytes
  }
}

function chunkStreamOf(type: MediaType): number {
  if (type === MESSAGE.audio) return CHUNK_STREAM.audio
  return type === MESSAGE.video ? CHUNK_STREAM.video : CHUNK_STREAM.status
}

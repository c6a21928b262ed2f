// Data messages (RTMP 1.0, clause 7.1.2) and how FLV has them: encoders wrap the metadata in `@setDataFrame`, which is for the
// server.
import { ByteCursor } from '../amf/byte-cursor.js'
import { renderAmf0 } from '../amf/amf0-writer.js'

const STRING = 2
const SET_DATA_FRAME = renderAmf0(['@setDataFrame'])
const METADATA = 'onMetaData'

/** The body of an FLV script tag, which begins with its name; undefined if the body does not. */
export function scriptDataOf(body: Uint8Array): Uint8Array | undefined {
  const name = nameOf(body)
  if (name !== '@setDataFrame') return name === undefined ? undefined : body
  const inner = body.subarray(SET_DATA_FRAME.length)
  return nameOf(inner) === undefined ? undefined : inner
}

/** Metadata as a publisher sends them; other bodies as they are. */
export function wrapMetadata(body: Uint8Array): Uint8Array {
  return nameOf(body) === METADATA ? Buffer.concat([SET_DATA_FRAME, body]) : body
}

function nameOf(body: Uint8Array): string | undefined {
  if (body[0] !== STRING) return undefined
  const cursor = new ByteCursor(body, 1)
  const name = cursor.text(cursor.u16())
  return cursor.isDamaged ? undefined : name
}

// `onStatus` (RTMP 1.0, clause 7.2.2): rendered, and what a peer's means for us.
import { textOf } from '../amf/amf-value.js'
import type { AmfObject, AmfValue } from '../amf/amf-value.js'

export function status(code: string, description: string): AmfObject {
  return { level: 'status', code, description }
}

export function failure(code: string, description: string): AmfObject {
  return { level: 'error', code, description }
}

/** Why a server refused: the name is taken, it does not want us, or there is no such stream. */
export type Refusal = 'badName' | 'rejected' | 'notFound'

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'NetStream.Publish.BadName': 'badName',
  'NetStream.Play.StreamNotFound': 'notFound',
  'NetStream.Play.FileStructureInvalid': 'notFound',
}

export interface PeerStatus {
  readonly code: string
  readonly description: string
  /** Present if it is an error. */
  readonly refusal: Refusal | undefined
}

export function readStatus(info: AmfValue): PeerStatus {
  const code = textOf(info, 'code') ?? ''
  const description = textOf(info, 'description') ?? ''
  const isError = textOf(info, 'level') === 'error' || /\.(Failed|Rejected|Denied|BadName|StreamNotFound)$/.test(code)
  return { code, description, refusal: isError ? (REFUSALS[code] ?? 'rejected') : undefined }
}

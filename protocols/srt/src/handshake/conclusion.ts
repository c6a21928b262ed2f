// What a caller asks for in its conclusion, and the reasons to refuse it that need no authorisation.
import { parseKeyMaterial } from '../crypto/key-material.js'
import type { KeyMaterial } from '../crypto/key-material.js'
import { EXTENSION, EXTENSION_FLAG, SRT_FLAG, parseHandshakeExtension, parseTextExtension } from './handshake-packet.js'
import type { Handshake, HandshakeExtension } from './handshake-packet.js'
import { REJECT } from './reject-code.js'

export interface Conclusion {
  readonly handshake: Handshake
  readonly extension: HandshakeExtension
  readonly streamId: string | undefined
  readonly material: KeyMaterial | undefined
  /** The message that `material` was read from; its echo is the answer. */
  readonly materialMessage: Uint8Array | undefined
}

const LEAST_SRT_VERSION = 0x01_03_00
/** Flags without which live mode can't work. */
const NEEDED_FLAGS = SRT_FLAG.tsbpdSend | SRT_FLAG.tsbpdReceive

/** Returns a reject code if the conclusion is to be refused. */
export function readConclusion(handshake: Handshake): Conclusion | number {
  if (handshake.version !== 5) return REJECT.version
  const find = (type: number) => handshake.extensions.find((extension) => extension.type === type)
  const request = find(EXTENSION.handshakeRequest)
  if (request === undefined || (handshake.extensionField & EXTENSION_FLAG.handshake) === 0) return REJECT.rogue
  const extension = parseHandshakeExtension(request)
  if (extension === undefined) return REJECT.rogue
  const refusal = refusalOf(extension, find)
  if (refusal !== undefined) return refusal
  const id = find(EXTENSION.streamId)
  const streamId = id && parseTextExtension(id)
  if (id !== undefined && streamId === undefined) return REJECT.rogue
  const message = find(EXTENSION.keyRequest)?.body
  const material = message && parseKeyMaterial(message)
  if (material === 'gcm') return REJECT.crypto
  if (material === 'damaged') return REJECT.rogue
  return { handshake, extension, streamId, material, materialMessage: message?.slice() }
}

type Find = (type: number) => { body: Uint8Array } | undefined

function refusalOf({ flags, version }: HandshakeExtension, find: Find): number | undefined {
  if (find(EXTENSION.group) !== undefined) return REJECT.group
  if (find(EXTENSION.filter) !== undefined) return REJECT.filter
  if (version < LEAST_SRT_VERSION) return REJECT.version
  if ((flags & SRT_FLAG.stream) !== 0) return REJECT.messageApi
  if ((flags & NEEDED_FLAGS) !== NEEDED_FLAGS) return REJECT.rogue
  const congestion = find(EXTENSION.congestion)
  if (congestion !== undefined && parseTextExtension({ type: EXTENSION.congestion, ...congestion }) !== 'live')
    return REJECT.congestion
  return undefined
}

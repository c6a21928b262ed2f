// Commands and data in AMF0 and AMF3 (RTMP 1.0, clause 7.1.1 and 7.1.2).
import { readAmf0 } from '../amf/amf0-reader.js'
import type { AmfValue } from '../amf/amf-value.js'
import { renderAmf0 } from '../amf/amf0-writer.js'
import { MESSAGE } from './message.js'

/** Longer ones are ignored: no encoder comes near. */
export const MAX_COMMAND_BYTES = 64 * 1024
const MOST_SHOWN = 40

export interface Command {
  readonly name: string
  readonly transaction: number
  /** The command object, often null, and the arguments. */
  readonly args: readonly AmfValue[]
}

/** Undefined if the body is no command. Values that were read before damage count. */
export function readCommand(type: number, body: Uint8Array): Command | undefined {
  if (body.length > MAX_COMMAND_BYTES) return undefined
  const { values } = readAmf0(body, skipsFormat(type, body) ? 1 : 0)
  const [name, transaction, ...args] = values
  if (typeof name !== 'string') return undefined
  return { name, transaction: typeof transaction === 'number' ? transaction : 0, args }
}

/** Messages of the AMF3 types begin with a byte that says the format: 0. */
export function skipsFormat(type: number, body: Uint8Array): boolean {
  return (type === MESSAGE.amf3Command || type === MESSAGE.amf3Data) && body[0] === 0
}

export function renderCommand(name: string, transaction: number, ...args: readonly AmfValue[]): Uint8Array {
  return renderAmf0([name, transaction, ...args])
}

/** For a log or a message: what a peer chose, cut, without control characters. */
export function shown(text: string, most = MOST_SHOWN): string {
  const plain = text.slice(0, most + 1).replaceAll(/[^\x20-\x7e]/g, '?')
  return plain.length > most ? `${plain.slice(0, most)}...` : plain
}

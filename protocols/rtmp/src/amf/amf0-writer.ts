// Writes AMF0. Arrays are strict arrays, objects anonymous objects; what we send is small and our own.
import { AMF0 } from './amf0-reader.js'
import type { AmfValue } from './amf-value.js'

const MAX_SHORT_STRING = 0xffff

export function renderAmf0(values: readonly AmfValue[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const value of values) write(parts, value)
  return Buffer.concat(parts)
}

function write(parts: Uint8Array[], value: AmfValue): void {
  if (value === null) parts.push(Uint8Array.of(AMF0.null))
  else if (value === undefined) parts.push(Uint8Array.of(AMF0.undefined))
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(AMF0.boolean, value ? 1 : 0))
  else if (typeof value === 'number') parts.push(renderNumber(value))
  else if (typeof value === 'string') writeString(parts, value)
  else if (value instanceof Uint8Array) throw new TypeError('AMF0 has no byte arrays')
  else if (Array.isArray(value)) {
    parts.push(Uint8Array.of(AMF0.strictArray), renderU32(value.length))
    for (const element of value) write(parts, element)
  } else {
    parts.push(Uint8Array.of(AMF0.object))
    for (const [name, property] of Object.entries(value)) {
      const text = Buffer.from(name)
      parts.push(renderU16(text.length), text)
      write(parts, property)
    }
    parts.push(Uint8Array.of(0, 0, AMF0.objectEnd))
  }
}

function writeString(parts: Uint8Array[], value: string): void {
  const text = Buffer.from(value)
  if (text.length <= MAX_SHORT_STRING) parts.push(Uint8Array.of(AMF0.string), renderU16(text.length), text)
  else parts.push(Uint8Array.of(AMF0.longString), renderU32(text.length), text)
}

function renderNumber(value: number): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

function renderU16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

function renderU32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

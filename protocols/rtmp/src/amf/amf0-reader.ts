// Reads AMF0 (Adobe's specification of 2007), bounded in depth and in the number of values. Nothing here throws: damaged
// bytes end the reading, and what was read before stands.
import { readAmf3 } from './amf3-reader.js'
import { makeAmfObject, MAX_DEPTH, MAX_VALUES } from './amf-value.js'
import type { AmfObject, AmfValue } from './amf-value.js'
import { ByteCursor } from './byte-cursor.js'

/** Clause 2.1. */
export const AMF0 = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  reference: 7,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
  amf3: 17,
} as const

export interface AmfReading {
  readonly values: AmfValue[]
  /** Bytes are missing or wrong, or nested too deep, or there are too many values. */
  readonly isDamaged: boolean
}

/** Reads values until the end of the bytes. Byte arrays among them are views of the bytes. */
export function readAmf0(bytes: Uint8Array, from = 0): AmfReading {
  const reader = new Amf0Reader(new ByteCursor(bytes, from))
  const values: AmfValue[] = []
  while (reader.cursor.left > 0) {
    const value = reader.read(0)
    if (reader.cursor.isDamaged) break
    values.push(value)
  }
  return { values, isDamaged: reader.cursor.isDamaged }
}

class Amf0Reader {
  readonly cursor: ByteCursor
  readonly #objects: AmfValue[] = []
  readonly #budget = { values: MAX_VALUES }

  constructor(cursor: ByteCursor) {
    this.cursor = cursor
  }

  read(depth: number): AmfValue {
    const { cursor } = this
    if (depth > MAX_DEPTH || this.#budget.values-- <= 0) {
      cursor.damage()
      return undefined
    }
    const marker = cursor.u8()
    switch (marker) {
      case AMF0.number:
        return cursor.f64()
      case AMF0.boolean:
        return cursor.u8() !== 0
      case AMF0.string:
        return cursor.text(cursor.u16())
      case AMF0.longString:
      case AMF0.xml:
        return cursor.text(cursor.u32())
      case AMF0.null:
        return null
      case AMF0.undefined:
      case AMF0.unsupported:
        return undefined
      case AMF0.amf3:
        return readAmf3(cursor, depth, this.#budget)
      default:
        return this.#readCompound(marker, depth)
    }
  }

  #readCompound(marker: number, depth: number): AmfValue {
    const { cursor } = this
    switch (marker) {
      case AMF0.object:
        return this.#readProperties(depth)
      case AMF0.typedObject:
        cursor.text(cursor.u16())
        return this.#readProperties(depth)
      case AMF0.ecmaArray:
        // The count is not to be trusted: the end is marked.
        cursor.u32()
        return this.#readProperties(depth)
      case AMF0.strictArray:
        return this.#readArray(depth)
      case AMF0.reference:
        return this.#objects[cursor.u16()]
      case AMF0.date: {
        const time = cursor.f64()
        cursor.u16()
        return time
      }
      default:
        cursor.damage()
        return undefined
    }
  }

  #readProperties(depth: number): AmfObject {
    const { cursor } = this
    const object = makeAmfObject()
    this.#objects.push(object)
    while (!cursor.isDamaged) {
      const name = cursor.text(cursor.u16())
      if (name === '' && cursor.left > 0 && cursor.bytes[cursor.at] === AMF0.objectEnd) {
        cursor.at++
        break
      }
      // Some encoders leave the mark out at the end of the message.
      if (name === '' && cursor.left === 0) break
      const value = this.read(depth + 1)
      if (!cursor.isDamaged) object[name] = value
    }
    return object
  }

  #readArray(depth: number): AmfValue[] {
    const array: AmfValue[] = []
    this.#objects.push(array)
    const count = this.cursor.u32()
    for (let at = 0; at < count && !this.cursor.isDamaged; at++) array.push(this.read(depth + 1))
    return array
  }
}

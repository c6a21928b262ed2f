// Reads a value of AMF3 (Adobe's specification of 2013) within a message of AMF0. Externalizable objects, vectors and
// dictionaries are damage: nobody sends them in RTMP.
import { makeAmfObject, MAX_DEPTH } from './amf-value.js'
import type { AmfObject, AmfValue } from './amf-value.js'
import type { ByteCursor } from './byte-cursor.js'

/** Clause 3.1. */
const AMF3 = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  double: 5,
  string: 6,
  xmlDocument: 7,
  date: 8,
  array: 9,
  object: 10,
  xml: 11,
  byteArray: 12,
} as const
const SIGN_SHIFT = 3

interface Traits {
  readonly names: readonly string[]
  readonly isDynamic: boolean
}

/** @param budget how many values may still be read; shared with the message around it */
export function readAmf3(cursor: ByteCursor, depth: number, budget: { values: number }): AmfValue {
  return new Amf3Reader(cursor, budget).read(depth)
}

class Amf3Reader {
  readonly #cursor: ByteCursor
  readonly #budget: { values: number }
  readonly #strings: string[] = []
  readonly #objects: AmfValue[] = []
  readonly #traits: Traits[] = []

  constructor(cursor: ByteCursor, budget: { values: number }) {
    this.#cursor = cursor
    this.#budget = budget
  }

  read(depth: number): AmfValue {
    const cursor = this.#cursor
    if (depth > MAX_DEPTH || this.#budget.values-- <= 0) {
      cursor.damage()
      return undefined
    }
    const marker = cursor.u8()
    switch (marker) {
      case AMF3.undefined:
        return undefined
      case AMF3.null:
        return null
      case AMF3.false:
      case AMF3.true:
        return marker === AMF3.true
      case AMF3.integer:
        return (cursor.u29() << SIGN_SHIFT) >> SIGN_SHIFT
      case AMF3.double:
        return cursor.f64()
      case AMF3.string:
        return this.#readString()
      default:
        return this.#readReferable(marker, depth)
    }
  }

  /** What may be a reference to an earlier object. */
  #readReferable(marker: number, depth: number): AmfValue {
    const cursor = this.#cursor
    if (marker < AMF3.xmlDocument || marker > AMF3.byteArray) {
      cursor.damage()
      return undefined
    }
    const header = cursor.u29()
    if ((header & 1) === 0) return this.#objects[header >> 1]
    if (marker === AMF3.object) return this.#readObject(header, depth)
    if (marker === AMF3.array) return this.#readArray(header >> 1, depth)
    const value = marker === AMF3.date ? cursor.f64() : cursor.view(header >> 1)
    const result = marker === AMF3.xml || marker === AMF3.xmlDocument ? '' : value
    this.#objects.push(result)
    return result
  }

  #readString(): string {
    const header = this.#cursor.u29()
    if ((header & 1) === 0) return this.#strings[header >> 1] ?? ''
    const text = this.#cursor.text(header >> 1)
    // The empty string is never sent by reference, clause 1.3.2.
    if (text !== '') this.#strings.push(text)
    return text
  }

  /** Elements without names; those with names, which come first, are read and left out. */
  #readArray(count: number, depth: number): AmfValue[] {
    const array: AmfValue[] = []
    this.#objects.push(array)
    this.#readNamed(undefined, depth)
    for (let at = 0; at < count && !this.#cursor.isDamaged; at++) array.push(this.read(depth + 1))
    return array
  }

  #readObject(header: number, depth: number): AmfObject {
    const object = makeAmfObject()
    const traits = this.#readTraits(header)
    this.#objects.push(object)
    for (const name of traits.names) {
      if (this.#cursor.isDamaged) break
      object[name] = this.read(depth + 1)
    }
    if (traits.isDynamic) this.#readNamed(object, depth)
    return object
  }

  #readTraits(header: number): Traits {
    if ((header & 2) === 0) {
      const known = this.#traits[header >> 2]
      if (known === undefined) this.#cursor.damage()
      return known ?? { names: [], isDynamic: false }
    }
    if ((header & 4) !== 0) this.#cursor.damage()
    this.#readString()
    const names: string[] = []
    for (let count = header >> 4; count > 0 && !this.#cursor.isDamaged; count--) {
      if (this.#budget.values-- <= 0) this.#cursor.damage()
      names.push(this.#readString())
    }
    const traits = { names, isDynamic: (header & 8) !== 0 }
    this.#traits.push(traits)
    return traits
  }

  #readNamed(object: AmfObject | undefined, depth: number): void {
    while (!this.#cursor.isDamaged) {
      const name = this.#readString()
      if (name === '') return
      const value = this.read(depth + 1)
      if (object !== undefined) object[name] = value
    }
  }
}

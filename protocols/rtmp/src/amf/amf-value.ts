// Values of AMF0 and AMF3 (Action Message Format), and the bounds of what is read from a peer.

export type AmfValue = null | undefined | boolean | number | string | Uint8Array | AmfValue[] | AmfObject

/** Objects, typed objects and ECMA arrays. Without a prototype. */
export interface AmfObject {
  [name: string]: AmfValue
}

/** Objects and arrays in one another. */
export const MAX_DEPTH = 16
/** Of one message, properties and elements included. */
export const MAX_VALUES = 4096

export function makeAmfObject(): AmfObject {
  return Object.create(null) as AmfObject
}

export function isAmfObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** The property of an object if it is text. */
export function textOf(value: AmfValue, name: string): string | undefined {
  const found = isAmfObject(value) ? value[name] : undefined
  return typeof found === 'string' ? found : undefined
}

/** The property of an object if it is a number. */
export function numberOf(value: AmfValue, name: string): number | undefined {
  const found = isAmfObject(value) ? value[name] : undefined
  return typeof found === 'number' ? found : undefined
}

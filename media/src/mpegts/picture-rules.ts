// What a video codec tells the search for random access points: the kinds of units that its start codes introduce, and
// which pictures a decoder can start at. One table of functions for each codec, in the folder of the codec.

/** Says nothing about access units: the rest of a picture, fillers, user data. */
export const OTHER = 0
/** Begins an access unit if it follows a picture; of no further interest. */
export const LEADING = 1
/** A parameter set; begins an access unit like LEADING. */
export const PARAMETER_SET = 2
/** A parameter set that continues the one before it. Ignored after the beginning of a picture. */
export const EXTENSION = 3
/** May say that decoding can start at the picture that follows; begins an access unit like LEADING. */
export const ANNOUNCEMENT = 4
/** A slice, or the header of a picture. */
export const PICTURE = 5

/** `unit` begins with the byte after the start code prefix; `length` bytes of it are known. */
export interface PictureRules {
  kindOf(first: number): number
  /** How many bytes of a PICTURE unit `beginsPicture` looks at, and how many `isIntra` does. */
  readonly headBytes: number
  readonly pictureBytes: number
  /** The unit at `at` is the first one of its picture; it is known up to `end`. */
  beginsPicture(bytes: Uint8Array, at: number, end: number): boolean
  /** A decoder can start at the picture, whatever precedes it. */
  isKey(first: number): boolean
  /** The picture refers to no others; later ones may refer to some before it, unless it is announced. */
  isIntra(unit: Uint8Array, length: number): boolean
  /** An ANNOUNCEMENT unit says that decoding can start at the next picture. */
  announces(unit: Uint8Array, length: number): boolean
  /** Announced pictures need not be intra: intra refresh. */
  readonly announcesInter: boolean
  /** Identifies a parameter set: its class (from 1), then 16 bits for its id; -1 if it is damaged or not kept. */
  setKey(unit: Uint8Array, length: number): number
  /** Key of the parameter set that it refers to; -1 without one. */
  setParent(unit: Uint8Array, length: number): number
  /** A decoder needs one set of each of these classes; the first one configures it. */
  readonly neededClasses: readonly number[]
}

/** The key of a parameter set. */
export function setKeyOf(setClass: number, id: number): number {
  return id < 0 ? -1 : setClass * 0x10000 + id
}

export function classOfKey(key: number): number {
  return key >>> 16
}

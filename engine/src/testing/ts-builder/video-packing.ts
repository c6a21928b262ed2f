// Packs coded pictures into PES packets in ways that are legal and that ffmpeg never writes: ISO/IEC 13818-1 2.14 asks
// neither that a PES packet begins with an access unit nor that it holds only one.
import { concatBytes } from './nal-units.js'
import type { VideoCodec } from './ts-plan.js'
import type { CodedPicture, VideoPacking } from './video-format.js'

export interface PackedPictures {
  readonly payload: Uint8Array
  /** Of the first picture that begins in it; undefined if none does. */
  readonly times: { readonly pts90k: number; readonly dts90k: number } | undefined
  /** When it is sent. */
  readonly dts90k: number
  readonly span90k: number
  /** Begins with a key picture; one begins in it. */
  readonly key: boolean
  readonly hasKey: boolean
}

type UnitKind = 'delimiter' | 'set' | 'other'

/** `frame90k`: how long a picture may take to send. */
export function packPictures(
  pictures: readonly CodedPicture[],
  codec: VideoCodec,
  packing: VideoPacking,
  frame90k: number,
): PackedPictures[] {
  const shaped = shapePictures(pictures, codec, packing)
  if (packing.pesBytes !== undefined) return packBytes(shaped, packing.pesBytes)
  const count = packing.pictures ?? 1
  const packed: PackedPictures[] = []
  for (let at = 0; at < shaped.length; at += count) {
    const group = shaped.slice(at, at + count)
    const [first] = group
    if (first === undefined) continue
    const { pts90k, dts90k, key } = first
    packed.push({
      payload: concatBytes(group.map(({ bytes }) => bytes)),
      times: { pts90k, dts90k },
      dts90k,
      span90k: packing.setsApart === true ? 0 : frame90k * group.length,
      key,
      hasKey: group.some((picture) => picture.key),
    })
  }
  return packed
}

/** Without what the packing leaves out; with sets apart, those come as pictures of their own. */
function shapePictures(pictures: readonly CodedPicture[], codec: VideoCodec, packing: VideoPacking): CodedPicture[] {
  const shaped: CodedPicture[] = []
  let hasSets = false
  for (const picture of pictures) {
    const units = splitUnits(picture.bytes).filter((unit) => {
      const kind = kindOf(unit, codec)
      if (kind === 'delimiter') return packing.delimiters !== false
      return kind !== 'set' || packing.setsOnce !== true || !hasSets
    })
    hasSets ||= units.some((unit) => kindOf(unit, codec) === 'set')
    // In MPEG-2 the zero before a prefix may belong to a slice.
    const isShort = packing.shortStartCodes === true && codec !== 'mpeg2'
    const render = (list: readonly Uint8Array[]): Uint8Array => concatBytes(isShort ? list.map(shorten) : list)
    const sets = packing.setsApart === true ? units.filter((unit) => kindOf(unit, codec) !== 'other') : []
    if (!sets.some((unit) => kindOf(unit, codec) === 'set')) {
      shaped.push({ ...picture, bytes: render(units) })
      continue
    }
    shaped.push({ ...picture, bytes: render(sets) })
    shaped.push({ ...picture, key: false, bytes: render(units.filter((unit) => !sets.includes(unit))) })
  }
  return shaped
}

function packBytes(pictures: readonly CodedPicture[], pesBytes: number): PackedPictures[] {
  const whole = concatBytes(pictures.map(({ bytes }) => bytes))
  const packed: PackedPictures[] = []
  let next = 0
  let begin = 0
  let sent90k = pictures[0]?.dts90k ?? 0
  for (let at = 0; at < whole.length; at += pesBytes) {
    const inside: CodedPicture[] = []
    const firstAt = begin
    for (let picture = pictures[next]; picture !== undefined && begin < at + pesBytes; picture = pictures[next]) {
      inside.push(picture)
      begin += picture.bytes.length
      next++
    }
    const [first] = inside
    sent90k = first?.dts90k ?? sent90k
    packed.push({
      payload: whole.subarray(at, at + pesBytes),
      times: first,
      dts90k: sent90k,
      // Others of the same picture may follow: all of them are sent at once.
      span90k: 0,
      key: first !== undefined && firstAt === at && first.key,
      hasKey: inside.some(({ key }) => key),
    })
  }
  return packed
}

/** Each with its start code. */
function splitUnits(bytes: Uint8Array): Uint8Array[] {
  const starts: number[] = []
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue
    starts.push(at > 0 && bytes[at - 1] === 0 ? at - 1 : at)
  }
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1]))
}

function shorten(unit: Uint8Array): Uint8Array {
  return unit[2] === 0 ? unit.subarray(1) : unit
}

function kindOf(unit: Uint8Array, codec: VideoCodec): UnitKind {
  const at = unit[2] === 1 ? 3 : 4
  const first = unit[at] ?? 0
  if (codec === 'mpeg2') return isSequence(first, unit[at + 1] ?? 0) ? 'set' : 'other'
  const type = codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f
  const [delimiter, ...sets] = codec === 'h264' ? [9, 7, 8] : [35, 32, 33, 34]
  if (type === delimiter) return 'delimiter'
  return sets.includes(type) ? 'set' : 'other'
}

/** sequence_header_code, and the sequence extension. */
function isSequence(code: number, next: number): boolean {
  return code === 0xb3 || (code === 0xb5 && next >> 4 === 1)
}

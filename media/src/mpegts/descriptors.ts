// The descriptor loops of PSI, ISO/IEC 13818-1 2.6 and ETSI EN 300 468 6: tag, length, data. A descriptor that does not
// fit ends the loop.

/** ISO/IEC 13818-1 table 2-45. */
export const REGISTRATION_DESCRIPTOR = 0x05
export const LANGUAGE_DESCRIPTOR = 0x0a
/** ETSI EN 300 468 table 12. */
export const TELETEXT_DESCRIPTOR = 0x56
export const SUBTITLING_DESCRIPTOR = 0x59
export const AC3_DESCRIPTOR = 0x6a
export const EAC3_DESCRIPTOR = 0x7a
export const DTS_DESCRIPTOR = 0x7b
export const AAC_DESCRIPTOR = 0x7c
export const EXTENSION_DESCRIPTOR = 0x7f

/** Descriptors whose data begins with ISO_639_language_code, in order of preference. */
const LANGUAGE_DESCRIPTORS = [LANGUAGE_DESCRIPTOR, TELETEXT_DESCRIPTOR, SUBTITLING_DESCRIPTOR]
const DESCRIPTOR_HEADER_SIZE = 2

export interface Descriptor {
  readonly tag: number
  /** A view into the loop, without tag and length. */
  readonly data: Uint8Array
}

/** The descriptors of a loop in order, up to the first that does not fit. */
export function* listDescriptors(loop: Uint8Array): Generator<Descriptor> {
  let at = 0
  while (at + DESCRIPTOR_HEADER_SIZE <= loop.length) {
    const start = at + DESCRIPTOR_HEADER_SIZE
    const end = start + loop[at + 1]!
    if (end > loop.length) return
    yield { tag: loop[at]!, data: loop.subarray(start, end) }
    at = end
  }
}

/** The data of the first descriptor with the tag. */
export function findDescriptor(loop: Uint8Array, tag: number): Uint8Array | undefined {
  for (const descriptor of listDescriptors(loop)) if (descriptor.tag === tag) return descriptor.data
  return undefined
}

/** ISO 639-2 code of the first language in lower case, also from teletext and subtitling; '' if there is none. */
export function readLanguage(loop: Uint8Array): string {
  for (const tag of LANGUAGE_DESCRIPTORS) {
    const code = readText(findDescriptor(loop, tag), 3)
    if (/^[A-Za-z]{3}$/.test(code)) return code.toLowerCase()
  }
  return ''
}

/** format_identifier of every registration descriptor (`AC-3`, `CUEI` ...): four single-byte characters. */
export function listRegistrations(loop: Uint8Array): string[] {
  const identifiers: string[] = []
  for (const { tag, data } of listDescriptors(loop)) {
    if (tag === REGISTRATION_DESCRIPTOR && data.length >= 4) identifiers.push(readText(data, 4))
  }
  return identifiers
}

/** descriptor_tag_extension of every DVB extension descriptor. */
export function listExtensions(loop: Uint8Array): number[] {
  const extensions: number[] = []
  for (const { tag, data } of listDescriptors(loop)) {
    if (tag === EXTENSION_DESCRIPTOR && data.length >= 1) extensions.push(data[0]!)
  }
  return extensions
}

function readText(data: Uint8Array | undefined, length: number): string {
  return data === undefined || data.length < length ? '' : String.fromCharCode(...data.subarray(0, length))
}

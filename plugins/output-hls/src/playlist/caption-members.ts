// Closed captions in the multivariant playlist: channels of CEA-608 and services of CEA-708, RFC 8216 4.3.4.1. Their
// languages are in the caption_service_descriptor of the video's PMT entry (ATSC A/65 6.9.2), if anywhere.
import { listDescriptors } from '@millrace/media/mpegts'
import { languageName, languageTag } from './languages.js'

export interface CaptionMember {
  /** INSTREAM-ID. */
  readonly id: string
  readonly name: string
  /** BCP 47. */
  readonly language: string
}

const CAPTION_SERVICE_DESCRIPTOR = 0x86
const SERVICE_SIZE = 6

/** `ids`: those that have been seen. `descriptors`: the loop of the video in the PMT. */
export function describeCaptions(ids: readonly string[], descriptors: Uint8Array): readonly CaptionMember[] {
  const codes = readServices(descriptors)
  return ids.map((id) => {
    const language = languageTag(codes.get(id) ?? '')
    const label = languageName(language)
    return { id, language, name: label === '' ? id : `${label} (${id})` }
  })
}

/** ISO 639-2 codes by INSTREAM-ID. What is on line 21 has a field, not a channel: the first of it is meant. */
function readServices(descriptors: Uint8Array): ReadonlyMap<string, string> {
  const codes = new Map<string, string>()
  for (const { tag, data } of listDescriptors(descriptors)) {
    if (tag !== CAPTION_SERVICE_DESCRIPTOR || data.length === 0) continue
    const count = data[0]! & 0x1f
    for (let at = 1, left = count; left > 0 && at + SERVICE_SIZE <= data.length; at += SERVICE_SIZE, left--) {
      const isDigital = (data[at + 3]! & 0x80) !== 0
      const id = isDigital ? `SERVICE${data[at + 3]! & 0x3f}` : `CC${(data[at + 3]! & 1) === 1 ? 3 : 1}`
      codes.set(id, String.fromCharCode(...data.subarray(at, at + 3)).toLowerCase())
    }
  }
  return codes
}

// Reads any text as a playlist: lines into tags and URIs, and what is wrong with them as findings. Never throws, and looks
// at no more than MAX_PLAYLIST_LINES lines of MAX_LINE_LENGTH characters.
import { parseAttributeList } from './attribute-list.js'
import type { Finding } from './finding.js'
import { MediaReader } from './media-reader.js'
import { MultivariantReader } from './multivariant-reader.js'
import type { Playlist, Tag } from './playlist.js'
import { isAttributeOfKind, TAG_SPECS } from './tag-specs.js'
import type { TagSpec } from './tag-specs.js'

/** Five hours of segments of one second, with four lines each, and half of that again. */
export const MAX_PLAYLIST_LINES = 120_000
const MAX_LINE_LENGTH = 16_384
const MAX_FAULTS = 200
const BYTE_ORDER_MARK = '\uFEFF'

/** What follows `#EXTM3U`, line by line. */
interface PlaylistReader {
  tag(tag: Tag): void
  uri(uri: string, line: number): void
}

export function parsePlaylist(text: string): Playlist {
  return new PlaylistParser(text).parse()
}

class PlaylistParser {
  readonly #faults: Finding[] = []
  readonly #tags: Tag[] = []
  readonly #seen = new Set<string>()
  readonly #text: string
  #hasSegment = false

  constructor(text: string) {
    this.#text = text
  }

  parse(): Playlist {
    const lines = this.#lines()
    const kinds = lines.map(({ text }) => TAG_SPECS[nameOf(text)]?.in)
    const isMultivariant = kinds.find((kind) => kind !== undefined) === 'multivariant'
    const kind = isMultivariant ? 'multivariant' : 'media'
    const stranger = kinds.findIndex((other) => other !== undefined && other !== kind)
    if (stranger >= 0) {
      const { text, line } = lines[stranger]!
      this.#fault({ rule: 'mixed-kinds', seen: `${nameOf(text)} in a ${kind} playlist`, line })
    }
    const report = (finding: Finding) => this.#fault(finding)
    const reader = isMultivariant ? new MultivariantReader(report) : new MediaReader(report)
    for (const { text, line } of lines) this.#line(reader, text, line)
    const version = Number(this.#tags.find(({ name }) => name === 'EXT-X-VERSION')?.value ?? 1)
    const common = {
      version: Number.isInteger(version) ? version : 1,
      tags: this.#tags,
      areIndependent: this.#seen.has('EXT-X-INDEPENDENT-SEGMENTS'),
    }
    const read = reader.finish(this.#tags)
    return { ...read, ...common, faults: this.#faults }
  }

  /** Those that are not empty; faults of the text as a whole are reported. */
  #lines(): readonly { readonly text: string; readonly line: number }[] {
    const whole = this.#text
    const hasMark = whole.startsWith(BYTE_ORDER_MARK)
    if (hasMark) this.#fault({ rule: 'text-encoding', seen: 'a byte order mark', line: 1 })
    const all = (hasMark ? whole.slice(1) : whole).split(/\r?\n/, MAX_PLAYLIST_LINES + 1)
    if (all.length > MAX_PLAYLIST_LINES) {
      this.#fault({ rule: 'text-size', seen: `more than ${MAX_PLAYLIST_LINES} lines; the rest is not checked` })
      all.length = MAX_PLAYLIST_LINES
    }
    if (all[0] !== '#EXTM3U') this.#fault({ rule: 'first-line', seen: quote(all[0] ?? ''), line: 1 })
    return all
      .map((text, index) => ({ text: this.#cut(text, index + 1), line: index + 1 }))
      .filter(({ text }) => text !== '')
  }

  #cut(text: string, line: number): string {
    const control = controlIn(text)
    if (control !== undefined) {
      const code = control.toString(16).padStart(4, '0')
      this.#fault({ rule: 'text-encoding', seen: `the control character U+${code}`, line })
    }
    if (text.length <= MAX_LINE_LENGTH) return text
    this.#fault({ rule: 'text-size', seen: `a line of ${text.length} characters`, line })
    return text.slice(0, MAX_LINE_LENGTH)
  }

  #line(reader: PlaylistReader, text: string, line: number): void {
    if (!text.startsWith('#')) {
      this.#hasSegment = true
      reader.uri(text, line)
      return
    }
    const name = nameOf(text)
    const spec = Object.hasOwn(TAG_SPECS, name) ? TAG_SPECS[name] : undefined
    if (spec === undefined) return
    const value = text.slice(name.length + 2)
    const attributes = spec.value === 'attributes' ? parseAttributeList(value) : undefined
    const tag: Tag = { name, value, line, attributes }
    this.#check(tag, spec)
    this.#tags.push(tag)
    this.#seen.add(name)
    reader.tag(tag)
  }

  #check(tag: Tag, spec: TagSpec): void {
    const { name, value, line } = tag
    if (spec.isSingle === true && this.#seen.has(name)) this.#fault({ rule: 'tag-repeated', seen: name, line })
    const isLate = this.#hasSegment || this.#seen.has('EXT-X-DISCONTINUITY')
    if (spec.isHead === true && this.#seen.has('EXT-X-SKIP')) this.#fault({ rule: 'skip-early', seen: name, line })
    else if (spec.isHead === true && isLate) this.#fault({ rule: 'head-tag-late', seen: name, line })
    if (spec.value === 'integer' && !/^\d{1,20}$/.test(value)) {
      this.#fault({ rule: 'tag-value', seen: `${name}:${quote(value)}`, line })
    }
    if (spec.value === 'none' && value !== '') this.#fault({ rule: 'tag-value', seen: `${name}:${quote(value)}`, line })
    if (tag.attributes !== undefined) this.#checkAttributes(tag, spec)
  }

  #checkAttributes({ name, line, attributes }: Tag, spec: TagSpec): void {
    if (attributes === undefined) return
    const { values, unreadable, repeated } = attributes
    if (unreadable !== undefined) {
      this.#fault({ rule: 'attribute-list', seen: `${name} at ${quote(unreadable)}`, line })
    }
    for (const attribute of repeated) this.#fault({ rule: 'attribute-repeated', seen: `${name} ${attribute}`, line })
    const missing = unreadable === undefined ? (spec.required ?? []).filter((attribute) => !values.has(attribute)) : []
    for (const attribute of missing)
      this.#fault({ rule: 'attribute-missing', seen: `${name} without ${attribute}`, line })
    for (const [attribute, kind] of Object.entries(spec.attributes ?? {})) {
      const found = values.get(attribute)
      if (found === undefined || isAttributeOfKind(kind, found.value, found.isQuoted)) continue
      this.#fault({ rule: 'attribute-value', seen: `${name} ${attribute}=${quote(found.value)}`, line })
    }
  }

  #fault(finding: Finding): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(finding)
  }
}

/** Between `#` and the colon; '' of what is no tag. */
function nameOf(text: string): string {
  return text.startsWith('#EXT') ? (/^[A-Z0-9-]+/.exec(text.slice(1))?.[0] ?? '') : ''
}

/** The first control character of Unicode, a tab apart. */
function controlIn(text: string): number | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < 0x20 && code !== 0x09) || (code >= 0x7f && code < 0xa0)) return code
  }
  return undefined
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
}

// Says what the beginning of a body is, where it is not a transport stream, and what would play it.
import { Buffer } from 'node:buffer'
import { plainText, showText } from './show-text.js'

interface Form {
  readonly name: string
  /** `bytes` and `text` (Latin-1, without white space in front) are the beginning of the body. */
  fits(bytes: Uint8Array, text: string): boolean
  advise(text: string): string
}

const LOOKED_AT_BYTES = 8192
const ENOUGH_TEXT_BYTES = 4
const MAX_TITLE_LENGTH = 80

const withFfmpeg = (): string =>
  'the input `type: ffmpeg` plays it: `type: ffmpeg, url: URL`, from the plugin @millrace/ffmpeg'
const entryUrl = (): string => 'set `url` to that of one of its entries'
const nothing = (): string => 'it is no video: check the URL'

/** The first one that fits. */
const FORMS: readonly Form[] = [
  { name: 'an HLS playlist', fits: (_, text) => /^#EXTM3U/i.test(text) && /^#EXT-X-/im.test(text), advise: withFfmpeg },
  { name: 'a playlist of channels (M3U)', fits: (_, text) => /^#EXT(M3U|INF)/i.test(text), advise: entryUrl },
  { name: 'a playlist (PLS)', fits: (_, text) => /^\[playlist\]/i.test(text), advise: entryUrl },
  { name: 'a playlist (ASX)', fits: (_, text) => /^<asx\b/i.test(text), advise: entryUrl },
  { name: 'a playlist (XSPF)', fits: (_, text) => xmlRoot(text) === 'playlist', advise: entryUrl },
  { name: 'a list of URLs', fits: (_, text) => /^[a-z]{3,5}:\/\/\S+\s*$/im.test(firstLine(text)), advise: entryUrl },
  { name: 'a DASH manifest', fits: (_, text) => xmlRoot(text) === 'mpd', advise: withFfmpeg },
  {
    name: 'an HTML page',
    fits: (_, text) => /^(<!doctype html|<html|<head|<body|<title)/i.test(text) || xmlRoot(text) === 'html',
    advise: (text) => `${titleOf(text)}open the URL in a browser: it may be a page for logging in, or an error`,
  },
  { name: 'XML', fits: (_, text) => xmlRoot(text) !== undefined, advise: nothing },
  { name: 'JSON', fits: (_, text) => /^(\{\s*["}]|\[\s*[[{"\]])/.test(text), advise: (text) => showText(text) },
  { name: 'an MP4 file', fits: (bytes) => /^(ftyp|styp|moov|moof|sidx)$/.test(ascii(bytes, 4, 8)), advise: withFfmpeg },
  { name: 'an FLV stream', fits: (bytes) => ascii(bytes, 0, 3) === 'FLV', advise: withFfmpeg },
  { name: 'a Matroska or WebM stream', fits: (bytes) => begins(bytes, 0x1a, 0x45, 0xdf, 0xa3), advise: withFfmpeg },
  { name: 'an MPEG program stream', fits: (bytes) => begins(bytes, 0, 0, 1, 0xba), advise: withFfmpeg },
  { name: 'an Ogg stream', fits: (bytes) => ascii(bytes, 0, 4) === 'OggS', advise: withFfmpeg },
  {
    name: 'an MP3 or AAC stream',
    fits: (bytes) => ascii(bytes, 0, 3) === 'ID3' || isAudioFrame(bytes),
    advise: withFfmpeg,
  },
  { name: 'a picture', fits: (bytes) => begins(bytes, 0xff, 0xd8) || ascii(bytes, 1, 4) === 'PNG', advise: nothing },
  { name: 'text', fits: (bytes) => isText(bytes), advise: (text) => showText(firstLine(text), MAX_TITLE_LENGTH) },
]

/** `this is an HLS playlist: ...`; undefined if it is nothing known. `bytes`: the beginning of the body. */
export function describeBody(bytes: Uint8Array): string | undefined {
  const beginning = bytes.subarray(0, LOOKED_AT_BYTES)
  const text = ascii(beginning, 0, beginning.length)
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  const form = FORMS.find(({ fits }) => fits(beginning, text))
  return form === undefined ? undefined : `this is ${form.name}: ${form.advise(text)}`
}

/** The name of the compression that the bytes begin with. */
export function compressionOf(bytes: Uint8Array): string | undefined {
  if (begins(bytes, 0x1f, 0x8b)) return 'gzip'
  return begins(bytes, 0x28, 0xb5, 0x2f, 0xfd) ? 'zstd' : undefined
}

/** In lower case. */
function xmlRoot(text: string): string | undefined {
  const rest = text.replace(/^<\?xml[^>]{0,200}>\s*/i, '').replace(/^(<!--[^>]{0,1000}>\s*)/, '')
  const name = /^<(?:[a-z][\w-]{0,30}:)?([a-z][\w-]{0,30})[\s>/]/i.exec(rest)?.[1]
  return name?.toLowerCase() ?? (text.startsWith('<?xml') ? 'xml' : undefined)
}

function titleOf(text: string): string {
  const title = /<title[^>]{0,100}>([^<]{1,300})/i.exec(text)?.[1] ?? ''
  return plainText(title.trim()) === '' ? '' : `its title is ${showText(title.trim(), MAX_TITLE_LENGTH)}; `
}

function firstLine(text: string): string {
  return /^[^\r\n]*/.exec(text)?.[0] ?? ''
}

function isText(bytes: Uint8Array): boolean {
  const part = bytes.subarray(0, 256)
  const isPlain = (byte: number): boolean => byte === 9 || byte === 10 || byte === 13 || (byte >= 0x20 && byte !== 0x7f)
  return part.length >= ENOUGH_TEXT_BYTES && part.every((byte) => isPlain(byte)) && part.some((byte) => byte < 0x80)
}

/** MPEG audio, or AAC in ADTS: a sync word of 11 or 12 bits. */
function isAudioFrame([first = 0, second = 0]: Uint8Array): boolean {
  return first === 0xff && second >= 0xe0 && second !== 0xff && ((second & 0x06) !== 0 || (second & 0xf6) === 0xf0)
}

function begins(bytes: Uint8Array, ...begin: readonly number[]): boolean {
  return begin.every((byte, index) => bytes[index] === byte)
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'latin1',
    start,
    Math.min(end, bytes.length),
  )
}

// URLs of callers as the tools of libsrt write them: `srt://host:port?streamid=..&latency=120&passphrase=..`. The StreamID may
// begin with `#!::` as it is, which a parser of URLs takes for a fragment.
import type { KeyLength } from './crypto/key-material.js'
import { secretsOfStreamId } from './stream-id.js'

/** What the options of a caller say too. */
export interface SrtUrl {
  readonly host: string
  readonly port: number
  readonly streamId?: string
  readonly passphrase?: string
  readonly keyLength?: KeyLength
  /** libsrt's unit; FFmpeg's URLs have microseconds. */
  readonly latencyMs?: number
}

const MAX_STREAM_ID_BYTES = 512
const FORM = /^srt:\/\/(?:\[([\da-f:.]+(?:%[\w.]+)?)\]|([^\s/:?#@[\]]+)):(\d{1,5})\/?(?:\?(.*))?$/is
const MOST_LATENCY_MS = 60_000
const MOST_PROBLEMS = 8
/** Characters of a key. */
const MOST_SHOWN = 40
/** Keys that ask for what a caller in live mode does anyway. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  mode: ['caller', 'client'],
  transtype: ['live'],
  messageapi: ['1', 'true', 'yes', 'on'],
  tsbpdmode: ['1', 'true', 'yes', 'on'],
  payload_size: ['1316'],
  pkt_size: ['1316'],
}

type Read = (value: string) => Partial<SrtUrl> | string
const KEYS: Readonly<Record<string, Read>> = {
  streamid: (streamId) => streamIdProblem(streamId) ?? { streamId },
  passphrase: (passphrase) => passphraseProblem(passphrase) ?? { passphrase },
  pbkeylen: (text) => (isKeyLength(Number(text)) ? { keyLength: Number(text) as KeyLength } : 'must be 16, 24 or 32'),
  latency: (text) => {
    const latencyMs = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (latencyMs <= MOST_LATENCY_MS) return { latencyMs }
    return `must be at most ${MOST_LATENCY_MS}: the unit is milliseconds`
  },
}

/** Returns what the URL says, or what is wrong with it; those texts name no secret. */
export function parseSrtUrl(text: string): SrtUrl | readonly string[] {
  const [, ipv6, name, port, query = ''] = FORM.exec(text) ?? []
  const host = ipv6 ?? name
  if (host === undefined) return ['must be srt://host:port, or more after a question mark']
  const problems = Number(port) < 1 || Number(port) > 65_535 ? ['must have a port from 1 to 65535'] : []
  let found: SrtUrl = { host, port: Number(port) }
  const seen = new Set<string>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const [key = '', ...rest] = pair.split('=')
    const read = seen.has(key) ? 'stands twice' : readKey(key, decode(rest.join('=')))
    seen.add(key)
    if (typeof read !== 'string') found = { ...found, ...read }
    else if (problems.length < MOST_PROBLEMS) problems.push(`${key.slice(0, MOST_SHOWN)}: ${read}`)
  }
  return problems.length > 0 ? problems : found
}

/** The values of its StreamID that are secret, as far as names of keys tell; also of a URL that is not valid. */
export function streamIdSecretsOfUrl(text: string): readonly string[] {
  const pairs = text.slice(text.indexOf('?') + 1).split('&')
  const streamId = pairs.find((pair) => pair.startsWith('streamid='))?.slice('streamid='.length)
  return streamId === undefined ? [] : secretsOfStreamId(decode(streamId) ?? streamId)
}

/** The address of the URL, or of `host:port`, without anything secret. */
export function shownTarget(address: string): string {
  const at = address.indexOf('?')
  return at < 0 ? address : address.slice(0, at)
}

/** What libsrt accepts: it counts the bytes. */
export function passphraseProblem(text: string): string | undefined {
  const bytes = new TextEncoder().encode(text).length
  return bytes >= 10 && bytes <= 79 ? undefined : 'must have 10 to 79 characters'
}

export function streamIdProblem(text: string): string | undefined {
  const bytes = new TextEncoder().encode(text).length
  return bytes >= 1 && bytes <= MAX_STREAM_ID_BYTES ? undefined : 'must have 1 to 512 bytes'
}

/** In bytes, as SRT has it. */
export function isKeyLength(bytes: number): bytes is KeyLength {
  return bytes === 16 || bytes === 24 || bytes === 32
}

function readKey(key: string, value: string | undefined): Partial<SrtUrl> | string {
  if (value === undefined) return 'is not valid percent encoding'
  return Object.hasOwn(KEYS, key) ? KEYS[key]!(value) : readFixed(key, value)
}

function readFixed(key: string, value: string): Partial<SrtUrl> | string {
  if (!Object.hasOwn(FIXED, key)) return `is not known here; known are ${Object.keys(KEYS).join(', ')} and mode`
  const [usual = '', ...others] = FIXED[key]!
  return [usual, ...others].includes(value) ? {} : `must be ${usual}`
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

// What segments need beside themselves: keys and initialisation sections. Each is loaded once, and its faults are
// reported once.
import { checkInitSection } from '@millrace/media/hls'
import type { Finding, InitSection, Key } from '@millrace/media/hls'
import { BLOCK_BYTES, decryptSegment, isDecryptable, ivOf } from './decryption.js'
import type { HttpAnswer, HttpClient } from './http-client.js'
import { resolveUrl } from './resolve-url.js'

const MAX_KEY_BYTES = 4096
const MAX_INIT_BYTES = 1024 * 1024
/** Those that are kept. */
const MOST = 64
const TS_SYNC_BYTE = 0x47

export class SegmentSections {
  readonly #http: HttpClient
  readonly #report: (findings: readonly Finding[]) => void
  readonly #loaded = new Map<string, Promise<Uint8Array | undefined>>()

  constructor(http: HttpClient, report: (findings: readonly Finding[]) => void) {
    this.#http = http
    this.#report = report
  }

  /** The 16 bytes of a key; undefined if there is none. */
  key(key: Key, base: string): Promise<Uint8Array | undefined> {
    const { uri = '', line } = key
    return this.#once(resolveUrl(uri, base), async (url) => {
      const answer = await this.#http.get(url, { maxBytes: MAX_KEY_BYTES })
      const why = failureOf(answer)
      if (why !== undefined) return this.#fail({ rule: 'key-not-served', seen: `${uri}: ${why}`, line })
      const { length } = (answer as HttpAnswer).bytes
      if (length === BLOCK_BYTES) return (answer as HttpAnswer).bytes
      return this.#fail({ rule: 'key-length', seen: `${uri}: ${length} bytes`, line })
    })
  }

  /** In clear; undefined if it cannot be had. */
  init(map: InitSection, base: string): Promise<Uint8Array | undefined> {
    const { uri, line, byteRange, key } = map
    const url = resolveUrl(uri, base)
    const place = `${url} ${byteRange?.offset ?? ''} ${byteRange?.length ?? ''} ${key?.uri ?? ''}`
    return this.#once(url && place, async () => {
      const from = byteRange?.offset ?? 0
      const headers = byteRange === undefined ? {} : { range: `bytes=${from}-${from + byteRange.length - 1}` }
      const answer = await this.#http.get(url!, { maxBytes: MAX_INIT_BYTES, headers })
      const why = failureOf(answer)
      if (why !== undefined) return this.#fail({ rule: 'map-not-served', seen: `${uri}: ${why}`, line })
      const bytes = await this.#decrypted((answer as HttpAnswer).bytes, key, base)
      const isTs = bytes?.[0] === TS_SYNC_BYTE || /\.(ts|m2ts)$/i.test(uri.split('?', 1)[0] ?? '')
      if (bytes !== undefined && isTs) this.#report(checkInitSection(bytes).map((finding) => ({ ...finding, line })))
      return bytes
    })
  }

  async #decrypted(bytes: Uint8Array, key: Key | undefined, base: string): Promise<Uint8Array | undefined> {
    if (key === undefined || key.method === 'NONE') return bytes
    const secret = isDecryptable(key) && key.iv !== undefined ? await this.key(key, base) : undefined
    if (secret === undefined) return undefined
    const clear = decryptSegment(bytes, secret, ivOf(key, 0))
    return typeof clear === 'string' ? this.#fail({ rule: 'segment-decrypt', seen: clear, line: key.line }) : clear
  }

  #once(
    name: string | undefined,
    load: (name: string) => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    if (name === undefined) return Promise.resolve(undefined)
    const known = this.#loaded.get(name)
    if (known !== undefined) return known
    const loading = load(name)
    this.#loaded.set(name, loading)
    const [oldest] = this.#loaded.keys()
    if (this.#loaded.size > MOST && oldest !== undefined) this.#loaded.delete(oldest)
    return loading
  }

  #fail(finding: Finding): undefined {
    this.#report([finding])
  }
}

function failureOf(answer: Awaited<ReturnType<HttpClient['get']>>): string | undefined {
  if ('failure' in answer) return answer.failure
  return answer.status < 200 || answer.status > 299 ? `status ${answer.status}` : undefined
}

// The keys of encrypted segments. All of them come from one secret, so that this alone has to be saved: any key can be
// made again from its id, also after a restart. Ids are random, and in every playlist; a key is given out only while a
// segment needs it.
import { createHmac, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { AesKey } from '../segment/segment-encryption.js'

/** What a segment notes of its key: no secret. */
export interface SegmentKey {
  readonly id: string
  /** 128 bits, hexadecimal. */
  readonly iv: string
}

/** Secret: written to the node's folder, and nowhere else. */
export interface SavedKeys {
  /** Base64. */
  readonly secret: string
  /** Of the newest keys, the newest last. */
  readonly ids: readonly string[]
}

const SECRET_BYTES = 32
const ID_BYTES = 8
const AES_BYTES = 16
/** Ids that are saved, for players that hold segments of the process before. */
const MOST_SAVED = 64
const id = z.string().regex(/^[0-9a-f]{16}$/)
const saved = z.object({
  secret: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  ids: z.array(id).max(MOST_SAVED),
})

export class Keys {
  readonly #save: (keys: SavedKeys) => void
  readonly #secret: Buffer
  /** How many segments that can be downloaded need it, by id. */
  readonly #users = new Map<string, number>()
  readonly #ofLastRun: ReadonlySet<string>
  #ids: readonly string[]
  #current: string | undefined
  /** Segments that the present key was given to. */
  #given = 0

  /** `before`: what the last process saved. */
  constructor(before: SavedKeys | undefined, save: (keys: SavedKeys) => void) {
    this.#save = save
    this.#secret = before === undefined ? randomBytes(SECRET_BYTES) : Buffer.from(before.secret, 'base64')
    this.#ids = before?.ids ?? []
    this.#ofLastRun = new Set(this.#ids)
  }

  /** For the next segment, of all renditions. `rotation`: after that many segments comes another key; 0: never. */
  next(rotation: number): SegmentKey {
    // How many segments the last process gave its key to is not known.
    if (rotation === 0) this.#current ??= this.#ids.at(-1)
    if (this.#current === undefined || (rotation > 0 && this.#given >= rotation)) this.#renew()
    this.#given++
    return this.describe(this.#current!)
  }

  describe(of: string): SegmentKey {
    return { id: of, iv: Buffer.from(this.aes(of).iv).toString('hex') }
  }

  aes(of: string): AesKey {
    const bytes = createHmac('sha256', this.#secret).update(of).digest()
    return { key: bytes.subarray(0, AES_BYTES), iv: bytes.subarray(AES_BYTES) }
  }

  /** What is given out; undefined for a key that no segment needs. `hasRestarted`: keys of the last process count too. */
  find(of: string, hasRestarted: boolean): Uint8Array | undefined {
    const isNeeded = this.#users.has(of) || (hasRestarted && this.#ofLastRun.has(of))
    return isNeeded ? this.aes(of).key : undefined
  }

  /** A segment with this key can be downloaded from now on. */
  add(of: string): void {
    this.#users.set(of, (this.#users.get(of) ?? 0) + 1)
  }

  remove(of: string): void {
    const left = (this.#users.get(of) ?? 0) - 1
    if (left > 0) this.#users.set(of, left)
    else this.#users.delete(of)
  }

  #renew(): void {
    this.#current = randomBytes(ID_BYTES).toString('hex')
    this.#given = 0
    this.#ids = [...this.#ids, this.#current].slice(-MOST_SAVED)
    this.#save({ secret: this.#secret.toString('base64'), ids: this.#ids })
  }
}

/** Undefined for what is not ours, or damaged. */
export function parseSavedKeys(bytes: Uint8Array): SavedKeys | undefined {
  try {
    return saved.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data
  } catch {
    return undefined
  }
}
